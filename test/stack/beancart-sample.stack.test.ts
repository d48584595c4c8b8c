import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { checkTable } from '../../connectors/check-table.ts';
import { readCatalog } from '../../connectors/postgres/catalog.ts';
import { canaries } from '../../examples/beancart/canaries.ts';
import { beancartFolder } from '../../examples/beancart/folder.ts';
import { tables } from '../../examples/beancart/row.ts';
import { loadSample, loadSchema, type SampleProgress } from '../../examples/beancart/sample.ts';
import { loadHouseRules } from '../../schemas/house-rules/load-rules.ts';
import { loadContracts } from '../../schemas/load-contracts.ts';
import { chinookSql, loadChinook } from '../chinook/load.ts';
import { acquireStack, freshDatabase } from '../support/stack.ts';

/** A connection to a database of this test's own. */
async function openDatabase(prefix: string): Promise<Client> {
  const { endpoints } = await acquireStack();
  const database = await freshDatabase(endpoints, prefix);
  const client = new Client({ connectionString: database.url });
  onTestFinished(async () => {
    await client.end();
    await database.drop();
  });
  await client.connect();
  return client;
}

async function findings(client: Client, folder: string): Promise<unknown[]> {
  const rules = join(dirname(folder), 'rules.yaml');
  const { house } = existsSync(rules) ? await loadHouseRules(rules) : {};
  const { contracts } = await loadContracts(folder, house);
  const catalog = await readCatalog(
    client,
    contracts.map(({ contract }) => contract.table),
  );
  return contracts.flatMap((loaded) => checkTable(loaded, catalog)).filter((f) => f.severity === 'error');
}

async function digests(client: Client): Promise<unknown[]> {
  const sums = tables.map(
    (t) => `(SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM ${t} t) AS ${t}`,
  );
  return (await client.query(`SELECT ${sums.join(', ')}`)).rows;
}

test('two databases filled with one seed are equal, and every protected column holds its canary', async () => {
  const first = await openDatabase('bean');
  const second = await openDatabase('bean');
  const progress: SampleProgress[] = [];
  for (const client of [first, second]) {
    await loadSchema(client);
    await client.query("SET timezone = 'UTC'; SET bytea_output = 'escape'");
    const counts = await loadSample(client, {
      customers: 600,
      seed: 5,
      onProgress: (p) => progress.push(p),
    });
    expect(counts.customers).toBe(600);
    expect(counts.orders).toBeGreaterThan(900);
  }
  expect(progress.filter((p) => p.customers === p.totalCustomers)).toHaveLength(2);
  expect(await digests(first)).toEqual(await digests(second));

  for (const { table, column, value } of canaries()) {
    const sql = `SELECT count(*)::int AS planted FROM ${table} WHERE strpos(${column}::text, $1) > 0`;
    const wanted = value.replace('T', ' ').replace(/Z$/, '');
    const { rows } = await first.query<{ planted: number }>(sql, [wanted]);
    expect(rows[0]!.planted, `${table}.${column}`).toBeGreaterThan(0);
  }
});

test('beancart: the contracts fit the tables', async () => {
  const client = await openDatabase('bean');
  await loadSchema(client);
  expect(await findings(client, join(beancartFolder, 'contracts'))).toEqual([]);
  // The check can fail: without the column that says whose row it is, nothing can be encrypted.
  await client.query('ALTER TABLE reviews DROP COLUMN customer_id');
  expect(await findings(client, join(beancartFolder, 'contracts'))).not.toEqual([]);
});

test('beancart: a sample over a sample is refused without a value in the message', async () => {
  const client = await openDatabase('bean');
  await loadSchema(client);
  await loadSample(client, { customers: 30, seed: 5 });
  const before = await digests(client);
  const error = await loadSample(client, { customers: 30, seed: 5 }).catch((e: unknown) => e);
  expect(String(error)).toMatch(/sample.*23505/);
  expect(await digests(client)).toEqual(before);
});

test.skipIf(!existsSync(chinookSql))(
  'chinook: loads as published, and the contracts fit the tables',
  async () => {
    const client = await openDatabase('chinook');
    await loadChinook(client, chinookSql);
    const { rows } = await client.query(
      'SELECT (SELECT count(*)::int FROM customer) AS customers, (SELECT count(*)::int FROM playlist_track) AS tracks',
    );
    expect(rows).toEqual([{ customers: 59, tracks: 8715 }]);
    expect(await findings(client, join(import.meta.dirname, '..', 'chinook', 'contracts'))).toEqual([]);
  },
);
