import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type AppliedContract,
  changedColumns,
  readAppliedContracts,
  rereadIsDone,
} from '../connectors/postgres/applied-contracts.ts';
import type { Catalog } from '../connectors/postgres/catalog.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { readTopics } from '../pipeline/read-topics.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable, cleanTopic, indexAlias } from '../schemas/names.ts';
import { header } from '../schemas/record-headers.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';

/** What still stands somewhere under an older contract: records of the topic, documents, rows (replaced ones too). */
export interface LeftBehind {
  readonly topic: number;
  readonly elasticsearch: number;
  readonly clickhouse: number;
}

/** How a table stands to its contract. */
export interface ContractStatus {
  readonly table: string;
  /** Columns of the table that the contract does not name: they do not pass. */
  readonly unclassified: readonly string[];
  /** `applied`: everything everywhere is under it. `pending`: something older is left. `not applied`: `apply` has not been run. */
  readonly state: 'applied' | 'pending' | 'not applied';
  /** Columns whose rule changed last, while something older is left. */
  readonly changed: readonly string[];
  readonly left?: LeftBehind;
}

/** Compares the contracts with what was applied, and counts what stands under older ones where a change is not complete. */
export async function readContractStatus(
  config: Config,
  datasets: readonly Dataset[],
  catalog: Catalog,
): Promise<ContractStatus[]> {
  const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
  const status: ContractStatus[] = [];
  for (const dataset of datasets) {
    const { table, contract } = dataset;
    const columns = catalog.tables.get(table)?.columns ?? [];
    const unclassified = columns
      .map(({ name }) => name)
      .filter((name) => !Object.hasOwn(contract.columns, name));
    status.push({ table, unclassified, ...(await stateOf(config, dataset, applied.get(table))) });
  }
  return status;
}

async function stateOf(
  config: Config,
  dataset: Dataset,
  applied: AppliedContract | undefined,
): Promise<Pick<ContractStatus, 'state' | 'changed' | 'left'>> {
  if (applied?.digest !== dataset.digest) {
    return { state: 'not applied', changed: applied ? changedColumns(applied.rules, dataset) : [] };
  }
  if (applied.reread === 'none' || applied.reread === 'done') return { state: 'applied', changed: [] };
  const left = await leftBehind(config, dataset);
  if (applied.reread === 'requested' && left.topic + left.elasticsearch + left.clickhouse === 0) {
    await withSource(config.postgres, (client) => rereadIsDone(client, config, dataset));
    return { state: 'applied', changed: [] };
  }
  return { state: 'pending', changed: changedColumns(applied.before ?? emptyRules, dataset), left };
}

const emptyRules: AppliedContract['rules'] = { columns: {} };

async function leftBehind(config: Config, dataset: Dataset): Promise<LeftBehind> {
  const { sinks } = dataset.contract;
  return {
    topic: await olderRecords(config, dataset),
    elasticsearch:
      config.elasticsearch && sinks.includes('elasticsearch')
        ? await olderDocuments(createElasticsearchClient(config.elasticsearch), config, dataset)
        : 0,
    clickhouse:
      config.clickhouse && sinks.includes('clickhouse')
        ? await olderRows(createClickhouseClient(config.clickhouse), config, dataset)
        : 0,
  };
}

async function olderRecords(config: Config, dataset: Dataset): Promise<number> {
  let count = 0;
  await readTopics(createKafka(config, 'status'), [cleanTopic(config, dataset.table)], ({ message }) => {
    if (message.value === null) return;
    if (String(message.headers?.[header.contract] ?? '') !== dataset.digest) count++;
  });
  return count;
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

/** Of all parts, also what a newer row replaces: it lies there until a merge. */
async function olderRows(client: ClickHouseClient, config: Config, dataset: Dataset): Promise<number> {
  try {
    const answer = await client.query({
      query:
        'SELECT count() AS n FROM {database:Identifier}.{table:Identifier} WHERE _lethe_contract != {digest:String} AND _lethe_deleted = 0',
      query_params: {
        database: clickhouseDatabase(config),
        table: clickhouseTable(dataset.table),
        digest: dataset.digest,
      },
      format: 'JSONEachRow',
    });
    const [row] = await answer.json<{ n: string | number }>();
    return Number(row?.n ?? 0);
  } finally {
    await client.close();
  }
}
