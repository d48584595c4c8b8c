import {
  type AppliedContract,
  advanceReread,
  readAppliedContracts,
} from '../connectors/postgres/applied-contracts.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { type Step, steppedResource } from '../pipeline/planned-steps.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable, writeAlias } from '../schemas/names.ts';
import { toLetheError as clickhouseError } from '../sinks/clickhouse/errors.ts';
import { clickhouseSwitch } from '../sinks/clickhouse/generations.ts';
import { toLetheError as elasticsearchError } from '../sinks/elasticsearch/errors.ts';
import { elasticsearchSwitch } from '../sinks/elasticsearch/generations.ts';
import { allHasArrived } from './all-has-arrived.ts';
import { olderValues } from './older-values.ts';
import { rowsGone } from './rows-gone.ts';
import type { Stores } from './store-generations.ts';

/**
 * Of tables whose rows were all read again under a changed contract: index and table that were built beside take the place of the older
 * ones, which are deleted, and the values that were replaced leave the stores' files: a replaced document lies in its segment, a
 * replaced row in its part, until they are merged. Each step follows from what is there, so that one that was cut short is done again.
 */
export function mergeResources(config: Config, datasets: readonly Dataset[], stores: Stores): Resource[] {
  return [
    steppedResource('values of older contracts', 'postgres', async () => {
      const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
      const steps: Step[] = [];
      for (const dataset of datasets) {
        const own = applied.get(dataset.table);
        if (own?.digest === dataset.digest) steps.push(...(await stepsOf(config, dataset, own, stores)));
      }
      return steps;
    }),
  ];
}

async function stepsOf(
  config: Config,
  dataset: Dataset,
  { reread, generation }: AppliedContract,
  stores: Stores,
): Promise<Step[]> {
  if (reread === 'due') return [];
  const { elasticsearch, clickhouse } = stores;
  const switches = [
    ...(elasticsearch ? await elasticsearchSwitch(config, dataset, generation, elasticsearch) : []),
    ...(clickhouse ? await clickhouseSwitch(config, dataset, generation, clickhouse) : []),
  ];
  if (reread !== 'requested' && switches.length === 0) return [];
  if ((await olderValues(config, dataset, generation)).inForce > 0) {
    const gone = reread === 'requested' ? await rowsGone(config, dataset) : [];
    if (gone.length === 0) return [];
    const summary = `${gone.length} rows of ${dataset.table} are deleted: the source has them no more, and nobody was told`;
    return [{ change: { action: 'delete', summary }, run: () => allHasArrived(config, dataset, generation) }];
  }
  let arrived: Promise<void> | undefined;
  const waiting = switches.map(
    ({ change, run }): Step => ({
      change,
      run: async () => {
        await (arrived ??= allHasArrived(config, dataset, generation));
        await run!();
      },
    }),
  );
  if (reread !== 'requested') return waiting;
  return [
    ...waiting,
    {
      change: {
        action: 'delete',
        summary: `values of older contracts of ${dataset.table} are merged away`,
      },
      run: () => merge(config, dataset, generation, stores),
    },
  ];
}

async function merge(
  config: Config,
  dataset: Dataset,
  generation: number,
  { elasticsearch, clickhouse }: Stores,
): Promise<void> {
  const { sinks } = dataset.contract;
  if (elasticsearch && sinks.includes('elasticsearch')) {
    const index = writeAlias(config, dataset.table, generation);
    try {
      await elasticsearch.indices.forcemerge({ index, max_num_segments: 1, flush: true });
    } catch (error) {
      throw elasticsearchError(error, `merge index ${index}`);
    }
  }
  if (clickhouse && sinks.includes('clickhouse')) {
    const params = {
      database: clickhouseDatabase(config),
      table: clickhouseTable(dataset.table, generation),
    };
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
