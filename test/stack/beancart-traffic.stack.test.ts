import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canaryMark } from '../../examples/beancart/canaries.ts';
import { loadSample, loadSchema } from '../../examples/beancart/sample.ts';
import { startTraffic, type Traffic } from '../../examples/beancart/traffic.ts';
import type { TrafficReport } from '../../examples/beancart/traffic-report.ts';
import { acquireStack, freshDatabase, type TestDatabase } from '../support/stack.ts';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  const { endpoints } = await acquireStack();
  database = await freshDatabase(endpoints, 'bean_traffic');
  client = new Client({ connectionString: database.url });
  await client.connect();
  await loadSchema(client);
  await loadSample(client, { customers: 300, seed: 9 });
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

/** Waits until the report says so; the test's own time limit ends it if that never comes. */
async function until(traffic: Traffic, reached: (report: TrafficReport) => boolean): Promise<void> {
  while (!reached(traffic.report())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function sawAll(report: TrafficReport): boolean {
  return [...Object.values(report.statements), ...Object.values(report.byTransaction)].every((n) => n > 0);
}

test('five seconds of traffic hold every kind of change, none refused, and the log shows them', async () => {
  const slot = `slot_${database.url.split('_').at(-1)}`;
  await client.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slot]);
  const traffic = startTraffic(database.url, { seed: 4, transactionsPerSecond: 100 });
  await until(traffic, (report) => report.elapsedMs >= 5_000 && sawAll(report));
  const report = await traffic.stop();
  expect(report).toMatchObject({ failed: 0, failures: {}, reconnects: 0 });
  expect(report.transactions).toBeLessThan((report.elapsedMs / 1_000 + 2) * 100);

  const { rows } = await client.query<{ lsn: string; data: string }>(
    'SELECT lsn::text, data FROM pg_logical_slot_get_changes($1, NULL, NULL)',
    [slot],
  );
  await client.query('SELECT pg_drop_replication_slot($1)', [slot]);
  const changes = rows.filter((row) => row.data.startsWith('table '));
  const matching = (pattern: RegExp): number => changes.filter((row) => pattern.test(row.data)).length;
  expect(matching(/: UPDATE:.*unchanged-toast-datum/s)).toBeGreaterThan(0);
  expect(matching(/products: UPDATE: old-key:/)).toBeGreaterThan(0);
  expect(matching(/payment_methods: UPDATE: old-key:/)).toBeGreaterThan(0);
  expect(matching(/order_items: UPDATE: old-key:/)).toBeGreaterThan(0);
  for (const kind of ['INSERT', 'UPDATE']) {
    expect(matching(new RegExp(`: ${kind}:.*${canaryMark}`, 's')), kind).toBeGreaterThan(0);
  }
  const lsns = changes.map((row) => position(row.lsn));
  expect(
    lsns.some((lsn, i) => i > 0 && lsn < lsns[i - 1]!),
    'positions of interleaved transactions',
  ).toBe(true);
});

test('a lost connection is counted apart and opened again', async () => {
  // The seed of the test before: a second run of the same traffic on the same database invents other keys.
  const traffic = startTraffic(database.url, { seed: 4, transactionsPerSecond: 100 });
  await until(traffic, (report) => report.transactions > 50);
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'beancart' AND datname = current_database()`,
  );
  await until(traffic, (report) => report.reconnects > 0);
  const { transactions } = traffic.report();
  await until(traffic, (report) => report.transactions > transactions + 50);
  expect(await traffic.stop()).toMatchObject({ failed: 0 });
});

test('a refused statement is counted and told, without its values', async () => {
  const told: string[] = [];
  // A trigger's error, unlike a constraint's, puts no row into the server's log.
  await client.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END $$;
    CREATE TRIGGER refuses BEFORE INSERT ON reviews EXECUTE FUNCTION refuse()`);
  const traffic = startTraffic(database.url, {
    seed: 6,
    transactionsPerSecond: 200,
    onError: (error) => told.push(`${error.sqlState} ${error.message} ${JSON.stringify(error)}`),
  });
  await until(traffic, (report) => report.failed > 1);
  const report = await traffic.stop();
  await client.query('DROP TRIGGER refuses ON reviews');
  expect(Object.keys(report.failures)).toEqual(['23514']);
  expect(told).toHaveLength(report.failed);
  expect(new Set(told)).toEqual(
    new Set(['23514 statement refused with SQLSTATE 23514 {"sqlState":"23514"}']),
  );
});

test('a wrong password is told, not retried in silence', async () => {
  const url = new URL(database.url);
  url.password = 'wrong';
  const told: string[] = [];
  const traffic = startTraffic(url.href, {
    seed: 7,
    transactionsPerSecond: 50,
    onError: (error) => told.push(error.sqlState),
  });
  await until(traffic, (report) => report.failed > 0);
  await traffic.stop();
  expect(new Set(told)).toEqual(new Set(['28P01']));
});

/** `16/B374D848` as a number. */
function position(lsn: string): bigint {
  const [high, low] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
