import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import type { ClickHouseClient } from '@clickhouse/client';
import { createKafka } from '../pipeline/kafka.ts';
import { readTopics } from '../pipeline/read-topics.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable, cleanTopic, indexAlias } from '../schemas/names.ts';
import { header } from '../schemas/record-headers.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';

/** What stands somewhere under an older contract of a table. */
export interface OlderValues {
  /** Records of the clean topic, also those that later ones replace. */
  readonly topic: number;
  readonly elasticsearch: number;
  /** Rows of all parts, also those that newer ones replace: they lie there until a merge. */
  readonly clickhouse: number;
  /** Of all of them those that are still in force: no rereading has come to them yet. */
  readonly inForce: number;
}

/** Counts what every place still has of older contracts. Reads the whole clean topic. */
export async function olderValues(config: Config, dataset: Dataset): Promise<OlderValues> {
  const { sinks } = dataset.contract;
  const topic = await olderRecords(config, dataset);
  const documents =
    config.elasticsearch && sinks.includes('elasticsearch')
      ? await olderDocuments(createElasticsearchClient(config.elasticsearch), config, dataset)
      : 0;
  const rows =
    config.clickhouse && sinks.includes('clickhouse')
      ? await olderRows(createClickhouseClient(config.clickhouse), config, dataset)
      : { all: 0, inForce: 0 };
  return {
    topic: topic.all,
    elasticsearch: documents,
    clickhouse: rows.all,
    inForce: topic.inForce + documents + rows.inForce,
  };
}

interface Count {
  readonly all: number;
  readonly inForce: number;
}

async function olderRecords(config: Config, dataset: Dataset): Promise<Count> {
  let all = 0;
  /** Keys whose last record is an older one. */
  const older = new Set<string>();
  await readTopics(createKafka(config, 'status'), [cleanTopic(config, dataset.table)], ({ message }) => {
    const key = String(message.key);
    const isOlder =
      message.value !== null && String(message.headers?.[header.contract] ?? '') !== dataset.digest;
    if (isOlder) all++;
    if (isOlder) older.add(key);
    else older.delete(key);
  });
  return { all, inForce: older.size };
}

async function olderDocuments(
  client: ElasticsearchClient,
  config: Config,
  dataset: Dataset,
): Promise<number> {
  try {
    const index = indexAlias(config, dataset.table);
    const query = { bool: { must_not: [{ term: { '_lethe.contract': dataset.digest } }] } };
    await client.indices.refresh({ index });
    return (await client.count({ index, query })).count;
  } finally {
    await client.close();
  }
}

async function olderRows(client: ClickHouseClient, config: Config, dataset: Dataset): Promise<Count> {
  const table = '{database:Identifier}.{table:Identifier}';
  const older = '_lethe_contract != {digest:String} AND _lethe_deleted = 0';
  try {
    const answer = await client.query({
      query: `SELECT (SELECT count() FROM ${table} WHERE ${older}) AS all,
        (SELECT count() FROM ${table} FINAL WHERE ${older}) AS in_force`,
      query_params: {
        database: clickhouseDatabase(config),
        table: clickhouseTable(dataset.table),
        digest: dataset.digest,
      },
      format: 'JSONEachRow',
    });
    const [row] = await answer.json<{ all: string | number; in_force: string | number }>();
    return { all: Number(row?.all ?? 0), inForce: Number(row?.in_force ?? 0) };
  } finally {
    await client.close();
  }
}
