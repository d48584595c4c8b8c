import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkProject } from '../../cli/check.ts';
import type { Finding } from '../../schemas/finding.ts';
import { LetheProject } from '../support/lethe-project.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { acquireStack, type TestStack } from '../support/stack.ts';

const customers = `table: public.customers
owner: crm
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
  age: { classification: internal, action: keep }
`;
const schema = `
  create table customers (id int primary key, email text not null, age int, ssn text);
  create table logs (line text);
  create view everybody as select * from customers;`;
const wrongPassword = 'canary-wrong-password';

let stack: TestStack;
let project: LetheProject;

beforeAll(async () => {
  stack = await acquireStack();
  project = await LetheProject.create(stack, { schema, contracts: { 'customers.yaml': customers } });
});
afterAll(() => project.drop());

/** Check finds exactly this; apply ends with 1, tells the place, shows no password and leaves nothing behind. */
async function expectRefused(place: string, code: string): Promise<Finding> {
  const found = await checkProject(join(project.folder, 'lethe.yaml'), false);
  const errors = found.filter((finding) => finding.severity === 'error');
  const inFolder = (file: string): string => relative(project.folder, file);
  expect(errors.map(({ file, line, field, code }) => `${inFolder(file)}:${line} ${field} ${code}`)).toEqual([
    `${place} ${code}`,
  ]);
  const [error] = errors;
  expect(error?.fix).not.toBe('');
  const apply = await project.lethe('apply');
  expect(apply).toMatchObject({ code: 1, stdout: '' });
  expect(apply.stderr).toContain(place);
  expect(apply.stderr).not.toMatch(/\n\s+at /);
  expect(apply.stderr + JSON.stringify(found)).not.toContain(wrongPassword);
  await project.writeConfig();
  expect(await project.traces()).toEqual([]);
  return error!;
}

test('check and plan end with 1 too, and tell the same', async () => {
  await project.writeContract('customers.yaml', customers.replace('action: encrypt', 'action: encrpyt'));
  const check = await project.lethe('check', '--json');
  const offline = await project.lethe('check', '--offline');
  const plan = await project.lethe('plan');
  await project.writeContract('customers.yaml', customers);
  expect([check.code, offline.code, plan.code]).toEqual([1, 1, 1]);
  const { findings } = JSON.parse(check.stdout) as { findings: Finding[] };
  expect(findings.filter((finding) => finding.severity === 'error')).toMatchObject([
    { file: 'contracts/customers.yaml', line: 9, code: 'UNKNOWN_VALUE' },
  ]);
  expect(offline.stdout).toMatch(/contracts\/customers\.yaml:9 +columns\.email\.action +UNKNOWN_VALUE/);
  expect(plan.stderr).toContain('contracts/customers.yaml:9 columns.email.action');
});

describe('a contract', () => {
  test.each<[string, string, string, string]>([
    [
      'names a table that does not exist',
      customers.replace('public.customers', 'public.custmers'),
      '1 table',
      'TABLE_MISSING',
    ],
    [
      'names a column that does not exist',
      `${customers}  emial: { classification: internal, action: keep }\n`,
      '11 columns.emial',
      'COLUMN_MISSING',
    ],
    [
      'has an unknown action',
      customers.replace('action: encrypt', 'action: encrpyt'),
      '9 columns.email.action',
      'UNKNOWN_VALUE',
    ],
    ['has an unknown key', `${customers}colour: red\n`, '11 colour', 'UNKNOWN_KEY'],
    [
      'has an unknown key in a column',
      customers.replace('action: encrypt', 'action: encrypt, with: sugar'),
      '9 columns.email.with',
      'UNKNOWN_KEY',
    ],
    [
      'has an action on a type it cannot treat',
      customers.replace('internal, action: keep', 'internal, action: mask'),
      '10 columns.age.action',
      'ACTION_ON_TYPE',
    ],
    [
      'encrypts without a subject',
      customers.replace(/subject.*\n/, ''),
      '8 columns.email.action',
      'ENCRYPT_WITHOUT_SUBJECT',
    ],
    ['names a view', customers.replace('public.customers', 'public.everybody'), '1 table', 'TABLE_KIND'],
    [
      'drops its key',
      customers.replace('person.id, action: keep', 'person.id, action: drop'),
      '8 columns.id.action',
      'KEY_ACTION',
    ],
  ])('that %s is refused', async (_name, text, place, code) => {
    await project.writeContract('customers.yaml', text);
    await expectRefused(`contracts/customers.yaml:${place}`, code);
    await project.writeContract('customers.yaml', customers);
  });

  test('that breaks a rule of the house is refused, with the place of the rule', async () => {
    const rules = 'rules:\n  - classification: [person.contact]\n    only: [drop]\n';
    await writeFile(join(project.folder, 'rules.yaml'), rules);
    await project.writeConfig({ rules: './rules.yaml' });
    const { message } = await expectRefused('contracts/customers.yaml:9 columns.email.action', 'HOUSE_RULE');
    expect(message).toMatch(/^person\.contact is only dropped, not encrypted: .*rules\.yaml:3$/);
  });

  test('for a table that has one already is refused', async () => {
    await project.writeContract('other.yaml', customers);
    const { message } = await expectRefused('contracts/other.yaml:1 table', 'DUPLICATE_CONTRACT');
    expect(message).toContain('contracts/customers.yaml:1');
    await project.removeContract('other.yaml');
  });

  test('for a table without a primary key is refused', async () => {
    const logs = customers
      .replace('public.customers', 'public.logs')
      .replace(/subject.*\n/, '')
      .replace(/ {2}id:[^]*/, '  line: { classification: internal, action: keep }\n');
    await project.writeContract('logs.yaml', logs);
    await expectRefused('contracts/logs.yaml:1 table', 'NO_PRIMARY_KEY');
    await project.removeContract('logs.yaml');
  });
});

describe('lethe.yaml', () => {
  test('with an unknown key is refused', async () => {
    await project.writeConfig({ kafak: { brokers: [] } });
    const { message } = await expectRefused('lethe.yaml:11 kafak', 'UNKNOWN_KEY');
    expect(message).toContain('Did you mean kafka?');
  });

  const closed = 'http://127.0.0.1:9';
  test.each<[string, string, unknown]>([
    ['postgres', '2 postgres.url', { url: 'postgres://postgres@127.0.0.1:9/postgres' }],
    ['kafka', '3 kafka.brokers', { brokers: ['127.0.0.1:9'] }],
    ['connect', '4 connect.url', { url: closed }],
    ['registry', '5 registry.url', { url: closed }],
    ['elasticsearch', '6 elasticsearch.url', { url: closed }],
    ['clickhouse', '7 clickhouse.url', { url: closed }],
    [
      'keys',
      '8 keys.url',
      { url: 'postgres://postgres@127.0.0.1:9/keys', master: { kind: 'local', file: 'master.json' } },
    ],
  ])('with an address of %s that does not answer is refused', async (section, place, value) => {
    await project.writeConfig({ [section]: value });
    const code = section === 'keys' ? 'KEY_STORE_UNAVAILABLE' : 'UNREACHABLE';
    await expectRefused(`lethe.yaml:${place}`, code);
  });

  test('with a wrong password for Postgres is refused', async () => {
    const url = new URL(project.source.url);
    url.password = wrongPassword;
    await project.writeConfig({ postgres: { url: url.href } });
    await expectRefused('lethe.yaml:2 postgres.url', 'AUTH_FAILED');
  });

  test('with a wrong password for ClickHouse is refused', async () => {
    const url = new URL(project.endpoints.clickhouse.url);
    await project.writeConfig({
      clickhouse: { url: url.origin, username: url.username, password: wrongPassword },
    });
    await expectRefused('lethe.yaml:7 clickhouse.url', 'AUTH_FAILED');
  });

  test('with a database that does not exist is refused', async () => {
    const url = new URL(project.source.url);
    url.pathname = '/nobody_made_this';
    await project.writeConfig({ postgres: { url: url.href } });
    await expectRefused('lethe.yaml:2 postgres.url', 'CONFIG_INVALID');
  });

  test('with a role that may not replicate is refused', async () => {
    const role = `${project.name}_app`;
    await project.sql(`create role ${role} login password 'app'`);
    await project.sql(`grant create on database ${new URL(project.source.url).pathname.slice(1)} to ${role}`);
    await project.sql(`alter table customers owner to ${role}; grant all on schema public to ${role}`);
    const url = new URL(project.source.url);
    url.username = role;
    url.password = 'app';
    await project.writeConfig({ postgres: { url: url.href } });
    const { fix } = await expectRefused('lethe.yaml:2 postgres.url', 'SOURCE_UNFIT');
    expect(fix).toContain(`ALTER ROLE "${role}" REPLICATION`);
    await project.sql(`reassign owned by ${role} to current_user; drop owned by ${role}; drop role ${role}`);
  });

  test('a role without rights on the tables is told which it lacks', async () => {
    const role = `${project.name}_guest`;
    await project.sql(`create role ${role} login replication password 'guest'`);
    await project.sql(`grant create on database ${new URL(project.source.url).pathname.slice(1)} to ${role}`);
    const url = new URL(project.source.url);
    url.username = role;
    url.password = 'guest';
    await project.writeConfig({ postgres: { url: url.href } });
    const findings = await checkProject(join(project.folder, 'lethe.yaml'), false);
    const access = findings.filter((finding) => finding.code === 'TABLE_ACCESS');
    expect(access.map((finding) => finding.message).join('; ')).toMatch(
      /does not own[^]*may not read id, email, age/,
    );
    await project.writeConfig();
    await project.sql(`drop owned by ${role}; drop role ${role}`);
  });
});

describe('a Postgres of its own', () => {
  let server: OwnPostgres;
  beforeAll(async () => {
    server = await OwnPostgres.create();
  });
  afterAll(() => server.drop());

  test('without logical WAL is refused', async () => {
    await server.start({ wal_level: 'replica' });
    await server.sql(schema);
    await project.writeConfig({ postgres: { url: server.url } });
    const { message } = await expectRefused('lethe.yaml:2 postgres.url', 'SOURCE_UNFIT');
    expect(message).toContain('wal_level is replica');
    expect(await server.sql('select 1 from pg_publication')).toEqual([]);
  });

  test('with all replication slots taken is refused', async () => {
    await server.start({ wal_level: 'logical', max_replication_slots: '1' });
    await server.sql(`select pg_create_physical_replication_slot('somebody')`);
    await project.writeConfig({ postgres: { url: server.url } });
    const { message } = await expectRefused('lethe.yaml:2 postgres.url', 'SOURCE_UNFIT');
    expect(message).toContain('all 1 replication slots are taken');
    await server.sql(`select pg_drop_replication_slot('somebody')`);
  });

  test('that has lost the slot is refused', async () => {
    await server.start({
      wal_level: 'logical',
      max_slot_wal_keep_size: '1MB',
      min_wal_size: '32MB',
      max_wal_size: '32MB',
    });
    const slot = `lethe_${project.name}`;
    await server.sql(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    for (let segment = 0; segment < 4; segment++) {
      await server.sql(
        `select pg_logical_emit_message(false, 'fill', repeat('x', 1000000)); select pg_switch_wal()`,
      );
    }
    await server.sql('checkpoint');
    await project.writeConfig({ postgres: { url: server.url } });
    await expectRefused('lethe.yaml:2 postgres.url', 'SLOT_LOST');
    await server.sql(`select pg_drop_replication_slot('${slot}')`);
  });
});
