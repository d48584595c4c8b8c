import type { ClickHouseClient } from '@clickhouse/client';
import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import type { AppliedContract } from '../connectors/postgres/applied-contracts.ts';
import { type GenerationOf, type StoreGeneration, storeGeneration } from '../pipeline/store-generation.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { clickhouseMisfits } from '../sinks/clickhouse/generations.ts';
import { elasticsearchMisfits } from '../sinks/elasticsearch/generations.ts';

/** Clients of the stores that lethe.yaml names. */
export interface Stores {
  readonly elasticsearch: ElasticsearchClient | undefined;
  readonly clickhouse: ClickHouseClient | undefined;
}

/**
 * Decides for each table, and for both stores alike, whether its rows go where they went or to a generation built beside it. Before
 * anything is applied: what apply makes on the way must not change the answer.
 */
export async function decideGenerations(
  config: Config,
  datasets: readonly Dataset[],
  applied: ReadonlyMap<string, AppliedContract>,
  { elasticsearch, clickhouse }: Stores,
  rebuild: boolean,
): Promise<GenerationOf> {
  const decided = new Map<string, StoreGeneration>();
  for (const dataset of datasets) {
    const own = applied.get(dataset.table);
    const misfits: string[] = [];
    if (own && own.digest !== dataset.digest) {
      if (elasticsearch)
        misfits.push(...(await elasticsearchMisfits(config, dataset, own.generation, elasticsearch)));
      if (clickhouse) misfits.push(...(await clickhouseMisfits(config, dataset, own.generation, clickhouse)));
    }
    decided.set(dataset.table, storeGeneration(own, dataset.digest, misfits, rebuild));
  }
  return (table) => decided.get(table)!;
}
