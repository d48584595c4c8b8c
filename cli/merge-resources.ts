import type { ClickHouseClient } from '@clickhouse/client';
import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import { advanceReread, readAppliedContracts } from '../connectors/postgres/applied-contracts.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { type Step, steppedResource } from '../pipeline/planned-steps.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable, indexAlias } from '../schemas/names.ts';
import { toLetheError as clickhouseError } from '../sinks/clickhouse/errors.ts';
import { toLetheError as elasticsearchError } from '../sinks/elasticsearch/errors.ts';
import { olderValues } from './older-values.ts';

interface Stores {
  readonly elasticsearch: ElasticsearchClient | undefined;
  readonly clickhouse: ClickHouseClient | undefined;
}

/**
 * Of tables whose rows were all read again under a changed contract: the values that were replaced leave the stores' files. A replaced
 * document lies in its segment, a replaced row in its part, until they are merged.
 */
export function mergeResources(config: Config, datasets: readonly Dataset[], stores: Stores): Resource[] {
  return [
    steppedResource('values of older contracts', 'postgres', async () => {
      const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
      const steps: Step[] = [];
      for (const dataset of datasets) {
        const own = applied.get(dataset.table);
        if (own?.digest !== dataset.digest || own.reread !== 'requested') continue;
        if ((await olderValues(config, dataset)).inForce > 0) continue;
        steps.push({
          change: {
            action: 'delete',
            summary: `values of older contracts of ${dataset.table} are merged away`,
          },
          run: () => merge(config, dataset, stores),
        });
      }
      return steps;
    }),
  ];
}

async function merge(config: Config, dataset: Dataset, { elasticsearch, clickhouse }: Stores): Promise<void> {
  const { sinks } = dataset.contract;
  if (elasticsearch && sinks.includes('elasticsearch')) {
    const index = indexAlias(config, dataset.table);
    try {
      await elasticsearch.indices.forcemerge({ index, max_num_segments: 1, flush: true });
    } catch (error) {
      throw elasticsearchError(error, `merge index ${index}`);
    }
  }
  if (clickhouse && sinks.includes('clickhouse')) {
    const params = { database: clickhouseDatabase(config), table: clickhouseTable(dataset.table) };
    try {
      await clickhouse.command({
        query: 'OPTIMIZE TABLE {database:Identifier}.{table:Identifier} FINAL',
        query_params: params,
      });
    } catch (error) {
      throw clickhouseError(error, `merge table ${params.database}.${params.table}`);
    }
  }
  await withSource(config.postgres, (client) =>
    advanceReread(client, config, dataset, ['requested', 'merged']),
  );
}
