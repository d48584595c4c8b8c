import type { Client } from '@elastic/elasticsearch';
import { toLetheError } from './errors.ts';
import { aliasDefinition } from './index-definition.ts';

export interface Hit<Source> {
  readonly _id: string;
  readonly _seq_no?: number;
  readonly _primary_term?: number;
  readonly _source?: Source;
  readonly sort?: readonly unknown[];
}

interface Page<Source> {
  readonly pit_id?: string;
  readonly hits: { readonly hits: readonly Hit<Source>[] };
}

const pageSize = 5_000;
const keepAlive = '2m';

/** Condition of every document that is no tombstone: what readers see. */
export const isRow = aliasDefinition.filter;

/**
 * Documents of an index or alias as it stood at the call, those of a condition or all, tombstones left out, a page at a time, with these fields of their sources;
 * `seq_no_primary_term`: with what a delete of just this state of theirs needs. Fails with what the server says, when a shard cannot answer too.
 */
export async function* pagesOf<Source>(
  client: Client,
  name: string,
  asked: { readonly _source: readonly string[]; readonly seq_no_primary_term?: boolean },
  condition?: object,
): AsyncGenerator<readonly Hit<Source>[], void> {
  const request = async <T>(method: string, path: string, body?: object): Promise<T> => {
    try {
      return await client.transport.request<T>({ method, path, ...(body ? { body } : {}) });
    } catch (error) {
      throw toLetheError(error, `read ${name}`);
    }
  };
  const place = encodeURIComponent(name);
  await request('POST', `/${place}/_refresh`);
  let { id } = await request<{ id: string }>('POST', `/${place}/_pit?keep_alive=${keepAlive}`);
  let after: readonly unknown[] | undefined;
  try {
    for (;;) {
      const page: Page<Source> = await request('POST', '/_search?allow_partial_search_results=false', {
        size: pageSize,
        pit: { id, keep_alive: keepAlive },
        sort: [{ _shard_doc: 'asc' }],
        track_total_hits: false,
        query: condition ? { bool: { filter: [condition, isRow] } } : isRow,
        ...asked,
        ...(after ? { search_after: after } : {}),
      });
      id = page.pit_id ?? id;
      const { hits } = page.hits;
      if (hits.length > 0) yield hits;
      if (hits.length < pageSize) return;
      after = hits.at(-1)!.sort;
    }
  } finally {
    await request('DELETE', '/_pit', { id }).catch(() => {});
  }
}
