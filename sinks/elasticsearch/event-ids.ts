import type { Client } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import { indexAlias } from '../../schemas/names.ts';
import { documentId } from '../../schemas/record-key.ts';
import { toLetheError } from './errors.ts';
import { type Hit, pagesOf } from './pages.ts';
import { metaField } from './types.ts';

interface Source {
  readonly [metaField]?: { readonly event_id?: string };
}

/** Event ids of the documents behind an alias, a page at a time; those of deleted rows are left out. Nothing else of them is read. */
export async function* eventIdsBehind(client: Client, alias: string): AsyncGenerator<string[]> {
  for await (const hits of pagesOf<Source>(client, alias, { _source: [`${metaField}.event_id`] }))
    yield hits.map((hit) => hit._source?.[metaField]?.event_id ?? '');
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
      const page = await client.transport.request<{
        readonly hits: { readonly hits: readonly Hit<Source>[] };
      }>({
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
