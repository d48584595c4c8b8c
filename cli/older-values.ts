import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable } from '../schemas/names.ts';
import { retainedMark } from '../schemas/retained-row.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { readGenerations as readTableGenerations } from '../sinks/clickhouse/generations.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import { readGenerations as readIndexGenerations } from '../sinks/elasticsearch/generations.ts';
import { readOlderRecords } from './older-records.ts';

/** What stands somewhere under an older contract of a table. */
export interface OlderValues {
  /** Records of the clean topic, also those that later ones replace. */
  readonly topic: number;
  readonly elasticsearch: number;
  /** Rows of all parts, also those that newer ones replace: they lie there until a merge. */
  readonly clickhouse: number;
  /** Of all of them those that are still in force: no rereading has come to them yet. Those of older stores are not counted. */
  readonly inForce: number;
  /** Indexes and tables beside which others were built, while they are still there. */
  readonly olderStores: readonly string[];
}

/** Counts what every place still has of older contracts, in stores of all generations. Reads the whole clean topic. */
export async function olderValues(
  config: Config,
  dataset: Dataset,
  generation: number,
): Promise<OlderValues> {
  const { sinks } = dataset.contract;
  const topic = await readOlderRecords(config, dataset);
  const documents =
    config.elasticsearch && sinks.includes('elasticsearch')
      ? await olderDocuments(createElasticsearchClient(config.elasticsearch), config, dataset, generation)
      : nothing;
  const rows =
    config.clickhouse && sinks.includes('clickhouse')
      ? await olderRows(createClickhouseClient(config.clickhouse), config, dataset, generation)
      : nothing;
  return {
    topic: topic.all,
    elasticsearch: documents.all,
    clickhouse: rows.all,
    inForce: topic.last.size + documents.inForce + rows.inForce,
    olderStores: [...documents.olderStores, ...rows.olderStores],
  };
}

interface StoreCount {
  readonly all: number;
  readonly inForce: number;
  readonly olderStores: readonly string[];
}

const nothing: StoreCount = { all: 0, inForce: 0, olderStores: [] };

async function olderDocuments(
  client: ElasticsearchClient,
  config: Config,
  dataset: Dataset,
  generation: number,
): Promise<StoreCount> {
  try {
    const indexes = await readIndexGenerations(client, config, dataset.table);
    const counts = await Promise.all(
      [...indexes].map(async ([own, { name: index }]) => {
        const isOlder = own !== generation;
        const current = isOlder
          ? []
          : [
              { term: { '_lethe.contract': dataset.digest } },
              { prefix: { '_lethe.contract': retainedMark } },
            ];
        const query = { bool: { must_not: [{ term: { '_lethe.deleted': true } }, ...current] } };
        await client.indices.refresh({ index });
        const { count } = await client.count({ index, query });
        return { all: count, inForce: isOlder ? 0 : count, olderStores: isOlder ? [`index ${index}`] : [] };
      }),
    );
    return counts.reduce(sum, nothing);
  } finally {
    await client.close();
  }
}

async function olderRows(
  client: ClickHouseClient,
  config: Config,
  dataset: Dataset,
  generation: number,
): Promise<StoreCount> {
  const place = '{database:Identifier}.{table:Identifier}';
  try {
    const generations = await readTableGenerations(client, config, dataset.table);
    const counts = await Promise.all(
      generations.map(async (own): Promise<StoreCount> => {
        const isOlder = own !== generation;
        const others =
          ' AND _lethe_contract != {digest:String} AND NOT startsWith(_lethe_contract, {mark:String})';
        const older = `_lethe_deleted = 0${isOlder ? '' : others}`;
        const table = clickhouseTable(dataset.table, own);
        const answer = await client.query({
          query: `SELECT (SELECT count() FROM ${place} WHERE ${older}) AS all,
            (SELECT count() FROM ${place} FINAL WHERE ${older}) AS in_force`,
          query_params: {
            database: clickhouseDatabase(config),
            table,
            digest: dataset.digest,
            mark: retainedMark,
          },
          format: 'JSONEachRow',
        });
        const [row] = await answer.json<{ all: string | number; in_force: string | number }>();
        const all = Number(row?.all ?? 0);
        return isOlder
          ? { all, inForce: 0, olderStores: [`table ${table}`] }
          : { all, inForce: Number(row?.in_force ?? 0), olderStores: [] };
      }),
    );
    return counts.reduce(sum, nothing);
  } finally {
    await client.close();
  }
}

function sum(a: StoreCount, b: StoreCount): StoreCount {
  return {
    all: a.all + b.all,
    inForce: a.inForce + b.inForce,
    olderStores: [...a.olderStores, ...b.olderStores],
  };
}
