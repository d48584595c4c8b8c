import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { eventIdsOfKeys } from '../../sinks/elasticsearch/event-ids.ts';

/**
 * Ids of the last changes of records, by their keys, as every place has them that a record comes to; none of tables that no search index
 * has. They are of no person, and unlike anything else.
 */
export async function eventIdsOf(
  config: Config,
  dataset: Dataset,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (keys.length === 0 || !config.elasticsearch || !dataset.contract.sinks.includes('elasticsearch'))
    return new Map();
  const client = createElasticsearchClient(config.elasticsearch);
  try {
    return await eventIdsOfKeys(client, config, dataset.table, keys);
  } finally {
    await client.close();
  }
}
