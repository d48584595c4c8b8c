import type { Client } from '@elastic/elasticsearch';
import { LetheError } from '../../schemas/errors.ts';
import { documentId } from '../../schemas/record-key.ts';
import { formatVersion, parseVersion, type Version } from '../../schemas/version.ts';
import type { RemovedRows } from '../removal.ts';
import { toLetheError } from './errors.ts';
import { metaField } from './types.ts';

/** A document that is no tombstone, and the version of the tombstone that should be there in its stead. */
export interface HeldDocument {
  readonly id: string;
  readonly below: Version;
}

/** What `filter_path` leaves of an answer: no value of a row. */
interface Answer {
  readonly docs?: readonly {
    readonly found?: boolean;
    readonly _source?: { readonly [metaField]?: { readonly deleted?: boolean; readonly version?: string } };
  }[];
}

const idsOfARequest = 1_000;

/** Documents of these keys in an index that are older than their tombstones. One without a version of ours is older than any. */
export async function documentsHolding(
  client: Client,
  index: string,
  rows: RemovedRows,
): Promise<HeldDocument[]> {
  const held: HeldDocument[] = [];
  const wanted = [...rows].map(([key, below]) => ({ id: documentId(key), below }));
  for (let from = 0; from < wanted.length; from += idsOfARequest) {
    const part = wanted.slice(from, from + idsOfARequest);
    const docs = await read(client, index, part);
    if (docs.length !== part.length || docs.some(({ found }) => found === undefined))
      throw new LetheError('SERVER_FAILED', `Elasticsearch answered incompletely (read ${index}).`);
    for (const [i, { found, _source: source }] of docs.entries()) {
      if (!found) continue;
      const { deleted = false, version = '' } = source?.[metaField] ?? {};
      const isNewer = parseVersion(version) !== undefined && version >= formatVersion(part[i]!.below);
      if (!deleted && !isNewer) held.push(part[i]!);
    }
  }
  return held;
}

async function read(
  client: Client,
  index: string,
  part: readonly { readonly id: string }[],
): Promise<NonNullable<Answer['docs']>> {
  try {
    const answer = await client.transport.request<Answer>({
      method: 'POST',
      path: `/${encodeURIComponent(index)}/_mget`,
      querystring: {
        _source_includes: `${metaField}.deleted,${metaField}.version`,
        filter_path: `docs.found,docs._source.${metaField}`,
      },
      body: { ids: part.map(({ id }) => id) },
    });
    return answer.docs ?? [];
  } catch (error) {
    throw toLetheError(error, `read ${index}`);
  }
}
