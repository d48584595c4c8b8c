import type { Client } from '@elastic/elasticsearch';
import { ask } from './ask.ts';

/** A Lucene segment of one copy of a shard. */
export interface Segment {
  /** Shard, node and name: no other segment is called so as long as the shard is there. */
  readonly id: string;
  /** Documents that are deleted or replaced and still in its files. */
  readonly deleted: number;
}

interface Answer {
  readonly indices?: {
    readonly [index: string]: {
      readonly shards: {
        readonly [shard: string]: readonly {
          readonly routing: { readonly node: string };
          readonly segments?: { readonly [name: string]: { readonly deleted_docs: number } };
        }[];
      };
    };
  };
}

/** The segments of all copies of an index's shards, as they were at the last refresh. */
export async function readSegments(client: Client, index: string): Promise<Segment[]> {
  const path = `/${encodeURIComponent(index)}/_segments`;
  const { indices = {} } = await ask<Answer>(client, path, `read the segments of ${index}`);
  return Object.values(indices).flatMap(({ shards }) =>
    Object.entries(shards).flatMap(([shard, copies]) =>
      copies.flatMap(({ routing, segments = {} }) =>
        Object.entries(segments).map(([name, { deleted_docs: deleted }]) => ({
          id: `${shard}/${routing.node}/${name}`,
          deleted,
        })),
      ),
    ),
  );
}
