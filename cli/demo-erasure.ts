import { Client } from 'pg';
import { readCertificate } from '../erasure/certificate-store.ts';
import { recordsOf } from '../erasure/subject-index.ts';
import { pinnedKey, verifyCertificate } from '../erasure/verify-certificate.ts';
import { actingPrincipal } from '../keys/access/acting-principal.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import { withSigningKey } from '../keys/signing-key.ts';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import { eventIdsOfKeys } from '../sinks/elasticsearch/event-ids.ts';
import { clickhouseDatabase, clickhouseView } from '../schemas/names.ts';
import { fileErasure } from './erase/file-request.ts';
import { planErasure } from './erase/plan-erasure.ts';
import { runRequests } from './erase/run-requests.ts';
import type { Project } from './project.ts';
import { renderTable } from './table.ts';

const type = 'customer';
const request = 'demo-erasure';

/** What of a customer stands where. */
interface Traces {
  readonly 'rows at the source': number;
  readonly 'records of clean topics': number;
  readonly 'documents in Elasticsearch': number;
  readonly 'rows in ClickHouse': number;
  readonly 'key in the key store': number;
}

/**
 * Erases one customer, the one with most orders, while traffic goes on; shows what stood where before and after, and verifies the certificate as
 * whoever is handed it would. True only if nothing is left and the certificate holds.
 */
export async function eraseOneCustomer(
  project: Project,
  logs: readonly string[],
  print: (text: string) => void,
): Promise<boolean> {
  const { config } = project;
  const id = await customerWithMostOrders(config);
  const keys = openKeyStore(config);
  try {
    const digest = await keys.subjectDigest({ type }, id);
    const look = () => tracesOf(project, keys, id, digest);
    const before = await look();
    const filing = { subject: { type, id }, reason: 'the demo', requestId: request };
    await fileErasure(project, keys, filing, actingPrincipal());
    const [done] = await runRequests(project, { only: new Set([request]), logs });
    const after = await look();
    const names = Object.keys(before) as (keyof Traces)[];
    const rows = names.map((name) => [name, String(before[name]), String(after[name])]);
    print(
      `\none customer was erased while traffic went on\n${renderTable(['of the customer', 'before', 'after'], rows)}`,
    );
    const stored = await withKeyStore(config, (client) => readCertificate(client, request));
    const verdict =
      stored &&
      verifyCertificate(
        stored.document,
        await withSigningKey(config, ({ publicKey }) => pinnedKey(publicKey)),
      );
    print(
      `certificate ${stored?.number ?? 'missing'}: ${verdict?.ok ? 'verified with the public key alone' : 'NOT VERIFIED'}\n`,
    );
    return (
      done?.state === 'done' &&
      verdict?.ok === true &&
      names.every((name) => before[name] > 0 && after[name] === 0)
    );
  } finally {
    await keys.close();
  }
}

async function customerWithMostOrders(config: Config): Promise<string> {
  const client = new Client(postgresOptions(config.postgres));
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      'select customer_id::text as id from orders group by 1 order by count(*) desc, 1 limit 1',
    );
    return rows[0]!.id;
  } finally {
    await client.end();
  }
}

async function tracesOf(
  project: Project,
  keys: PostgresKeyStore,
  id: string,
  digest: Buffer,
): Promise<Traces> {
  const { config, datasets } = project;
  const { tables } = await planErasure(project, keys, [{ type, id }]);
  const own = datasets.filter(({ subject }) => subject?.type === type);
  const records = await withKeyStore(config, (client) => recordsOf(client, type, digest));
  const kept = await withKeyStore(config, async (client) => {
    const { rows } = await client.query<{ kept: number }>(
      `select count(k.wrapped)::int as kept from lethe_keys.subjects s join lethe_keys.data_keys k using (key_id)
        where s.subject_type = $1 and s.subject_digest = $2`,
      [type, digest],
    );
    return rows[0]!.kept;
  });
  return {
    'rows at the source': tables.reduce((n, { rowsAtTheSource }) => n + rowsAtTheSource, 0),
    'records of clean topics': records.length,
    'documents in Elasticsearch': await sum(own, (dataset) => {
      const mine = records.filter(({ table }) => table === dataset.table).map(({ key }) => key);
      return documents(config, dataset, mine);
    }),
    'rows in ClickHouse': await sum(own, (dataset) => clickhouseRows(config, dataset, id)),
    'key in the key store': kept,
  };
}

async function sum(
  datasets: readonly Dataset[],
  count: (dataset: Dataset) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (const dataset of datasets) total += await count(dataset);
  return total;
}

async function documents(
  config: Config,
  { table, contract }: Dataset,
  keys: readonly string[],
): Promise<number> {
  if (keys.length === 0 || !contract.sinks.includes('elasticsearch')) return 0;
  const client = createElasticsearchClient(config.elasticsearch!);
  try {
    return (await eventIdsOfKeys(client, config, table, keys)).size;
  } finally {
    await client.close();
  }
}

async function clickhouseRows(
  config: Config,
  { table, contract, subject, columns }: Dataset,
  id: string,
): Promise<number> {
  const isThere = columns.some(({ name, rule }) => name === subject!.key && rule.action === 'keep');
  if (!isThere || !contract.sinks.includes('clickhouse')) return 0;
  const client = createClickhouseClient(config.clickhouse!);
  try {
    const answer = await client.query({
      query:
        'SELECT count() AS n FROM {database:Identifier}.{view:Identifier} WHERE toString({column:Identifier}) = {id:String}',
      query_params: {
        database: clickhouseDatabase(config),
        view: clickhouseView(table),
        column: subject!.key,
        id,
      },
      format: 'JSONEachRow',
    });
    const [row] = await answer.json<{ n: string | number }>();
    return Number(row!.n);
  } finally {
    await client.close();
  }
}
