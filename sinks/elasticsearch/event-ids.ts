import type { Client } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import { indexAlias } from '../../schemas/names.ts';
import { documentId } from '../../schemas/record-key.ts';
import { toLetheError } from './errors.ts';
import { metaField } from './types.ts';

interface Page {
  readonly pit_id?: string;
  readonly hits: {
    readonly hits: readonly {
      readonly _id: string;
      readonly _source?: { readonly [metaField]?: { readonly event_id?: string } };
      readonly sort?: readonly unknown[];
    }[];
  };
}

const pageSize = 5_000;
const keepAlive = '2m';

/** Event ids of the documents behind an alias, a page at a time; those of deleted rows are left out. Nothing else of them is read. */
export async function* eventIdsBehind(client: Client, alias: string): AsyncGenerator<string[]> {
  const what = `read ${alias}`;
  const request = async <T>(method: string, path: string, body?: object): Promise<T> => {
    try {
      return await client.transport.request<T>({ method, path, ...(body ? { body } : {}) });
    } catch (error) {
      throw toLetheError(error, what);
    }
  };
  const name = encodeURIComponent(alias);
  await request('POST', `/${name}/_refresh`);
  let { id } = await request<{ id: string }>('POST', `/${name}/_pit?keep_alive=${keepAlive}`);
  let after: readonly unknown[] | undefined;
  try {
    for (;;) {
      const page: Page = await request('POST', '/_search', {
        size: pageSize,
        pit: { id, keep_alive: keepAlive },
        sort: [{ _shard_doc: 'asc' }],
        track_total_hits: false,
        _source: [`${metaField}.event_id`],
        query: { bool: { must_not: [{ term: { [`${metaField}.deleted`]: true } }] } },
        ...(after ? { search_after: after } : {}),
      });
      id = page.pit_id ?? id;
      const { hits } = page.hits;
      if (hits.length > 0) yield hits.map((hit) => hit._source?.[metaField]?.event_id ?? '');
      if (hits.length < pageSize) return;
      after = hits.at(-1)!.sort;
    }
  } finally {
    await request('DELETE', '/_pit', { id }).catch(() => {});
  }
}

const keysOfARequest = 1_000;

/** Event ids of the rows with these canonical keys, by key; deleted rows and those that are not there have none. */
export async function eventIdsOfKeys(
  client: Client,
  config: Pick<Config, 'name' | 'topics'>,
  table: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const alias = indexAlias(config, table);
  const found = new Map<string, string>();
  try {
    await client.indices.refresh({ index: alias });
    for (let from = 0; from < keys.length; from += keysOfARequest) {
      const own = new Map(keys.slice(from, from + keysOfARequest).map((key) => [documentId(key), key]));
      const page = await client.transport.request<Pick<Page, 'hits'>>({
        method: 'POST',
        path: `/${encodeURIComponent(alias)}/_search`,
        body: {
          size: keysOfARequest,
          _source: [`${metaField}.event_id`],
          query: { ids: { values: [...own.keys()] } },
        },
      });
      for (const { _id: id, _source } of page.hits.hits) {
        const eventId = _source?.[metaField]?.event_id ?? '';
        if (eventId !== '') found.set(own.get(id)!, eventId);
      }
    }
  } catch (error) {
    throw toLetheError(error, `read ${alias}`);
  }
  return found;
}
