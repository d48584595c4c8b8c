import type { Client } from '@elastic/elasticsearch';
import { ask } from './ask.ts';

/** How far a shard's operations go, and from which one on they are kept for those that have leases: copies that recover, and followers. */
export interface ShardHistory {
  readonly shard: string;
  readonly last: number;
  readonly keptFrom: number;
}

interface Answer {
  readonly indices?: {
    readonly [index: string]: {
      readonly shards: {
        readonly [shard: string]: readonly {
          readonly seq_no?: { readonly max_seq_no: number };
          readonly retention_leases?: { readonly leases?: readonly { readonly retaining_seq_no: number }[] };
        }[];
      };
    };
  };
}

/** The history of each copy of an index's shards. */
export async function readHistory(client: Client, index: string): Promise<ShardHistory[]> {
  const filter = 'indices.*.shards.*.seq_no,indices.*.shards.*.retention_leases';
  const path = `/${encodeURIComponent(index)}/_stats?level=shards&filter_path=${filter}`;
  const { indices = {} } = await ask<Answer>(client, path, `read the history of ${index}`);
  return Object.values(indices).flatMap(({ shards }) =>
    Object.entries(shards).flatMap(([shard, copies]) =>
      copies.map(({ seq_no: sequence, retention_leases: { leases = [] } = {} }) => ({
        shard,
        last: sequence?.max_seq_no ?? -1,
        keptFrom: Math.min(...leases.map(({ retaining_seq_no: from }) => from)),
      })),
    ),
  );
}
