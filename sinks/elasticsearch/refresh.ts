import type { Client } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import { indexAlias } from '../../schemas/names.ts';
import { createElasticsearchClient } from './client.ts';
import { send } from './request.ts';

/** Shows what was written to an index to searches at once. */
export function refreshIndex(client: Client, index: string): Promise<void> {
  return send(client, 'POST', `/${encodeURIComponent(index)}/_refresh`, undefined, `refresh ${index}`);
}

/** The same of the indexes of tables; nothing where lethe.yaml has no Elasticsearch. */
export async function refreshIndexes(
  config: Pick<Config, 'name' | 'topics' | 'elasticsearch'>,
  tables: readonly string[],
): Promise<void> {
  if (!config.elasticsearch || tables.length === 0) return;
  const client = createElasticsearchClient(config.elasticsearch);
  const aliases = tables.map((table) => encodeURIComponent(indexAlias(config, table))).join(',');
  try {
    await send(
      client,
      'POST',
      `/${aliases}/_refresh?ignore_unavailable=true`,
      undefined,
      'refresh the indexes',
    );
  } finally {
    await client.close();
  }
}
