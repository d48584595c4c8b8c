import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitForCapture } from '../../cli/wait-for-sinks.ts';
import { slotName } from '../../schemas/names.ts';
import type { Finding } from '../../schemas/finding.ts';
import { LetheProject } from '../support/lethe-project.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { rawRecords } from '../support/raw-records.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.orders
owner: shop
tier: 1
sinks: []
staleness: 30s
columns:
  id: { classification: internal, action: keep }
`;

let project: LetheProject;

beforeAll(async () => {
  project = await LetheProject.create(await acquireStack(), {
    schema: 'create table orders (id int primary key); insert into orders values (1)',
    contracts: { 'orders.yaml': contract },
  });
  expect(await project.lethe('apply')).toMatchObject({ code: 0 });
  await rawRecords(await project.config(), `${project.name}.raw.public.orders`, 1);
});
afterAll(() => project.drop());

function connect(method: string, path: string): Promise<Response> {
  return fetch(`${project.endpoints.connect.url}/connectors/lethe-${project.name}${path}`, { method });
}

async function taskStates(): Promise<string[]> {
  const { tasks } = (await (await connect('GET', '/status')).json()) as { tasks: { state: string }[] };
  return tasks.map((task) => task.state);
}

test('a slot that is gone stops the connector, check and apply; nobody makes it anew in silence', async () => {
  await connect('PUT', '/stop');
  await expect.poll(taskStates, { timeout: 120_000 }).toEqual([]);
  await project.sql('select pg_drop_replication_slot($1)', [`lethe_${project.name}`]);
  await project.sql('insert into orders values (2)');

  const check = await project.lethe('check', '--json');
  const { findings } = JSON.parse(check.stdout) as { findings: Finding[] };
  expect(check.code).toBe(1);
  expect(findings).toContainEqual(expect.objectContaining({ severity: 'error', code: 'SLOT_LOST', line: 2 }));
  const apply = await project.lethe('apply');
  expect(apply).toMatchObject({ code: 1 });
  expect(apply.stderr).toContain('error SLOT_LOST');

  await connect('PUT', '/resume');
  await expect.poll(taskStates, { timeout: 120_000 }).toEqual(['FAILED']);
  const { rows } = await project.sql('select 1 from pg_replication_slots where slot_name = $1', [
    `lethe_${project.name}`,
  ]);
  expect(rows).toEqual([]);
});

test('without connector and position, apply takes a new snapshot', async () => {
  expect(await project.lethe('connector', 'delete')).toMatchObject({ code: 2 });
  expect(await taskStates()).toEqual(['FAILED']);
  expect(await project.lethe('connector', 'delete', '--yes')).toMatchObject({ code: 0 });
  expect(await project.lethe('apply')).toMatchObject({ code: 0 });
  const records = await rawRecords(await project.config(), `${project.name}.raw.public.orders`, 3);
  expect(records.map(({ op, after }) => [op, after?.['id']])).toEqual(
    expect.arrayContaining([
      ['r', 1],
      ['r', 2],
    ]),
  );
});

test('one whose WAL is gone is waited for by nobody', async () => {
  const server = await OwnPostgres.create();
  try {
    await server.start({ wal_level: 'logical', max_slot_wal_keep_size: '1MB', max_wal_size: '32MB' });
    const config = { ...(await project.config()), postgres: { url: server.url } };
    await server.sql(`select pg_create_logical_replication_slot('${slotName(config)}', 'pgoutput')`);
    await server.sql('create table filler (t text)');
    const isLost = async (): Promise<boolean> => {
      await server.sql(`insert into filler select repeat('x', 1000) from generate_series(1, 50000)`);
      await server.sql('checkpoint');
      const [slot] = await server.sql('select wal_status from pg_replication_slots');
      return slot?.['wal_status'] === 'lost';
    };
    await expect.poll(isLost, { timeout: 60_000 }).toBe(true);
    await expect(waitForCapture(config, { signal: AbortSignal.timeout(30_000) })).rejects.toMatchObject({
      code: 'SLOT_LOST',
    });
  } finally {
    await server.drop();
  }
});
