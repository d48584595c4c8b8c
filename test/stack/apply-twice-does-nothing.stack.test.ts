import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKafka } from '../../pipeline/kafka.ts';
import { LetheProject } from '../support/lethe-project.ts';
import { acquireStack } from '../support/stack.ts';

const customers = `table: public.customers
owner: crm
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
  name: { classification: person.name, action: mask }
  ssn: { classification: person.national-id, action: drop }
`;
const orders = `table: sales.orders
owner: shop
tier: 0
sinks: [clickhouse]
staleness: 5s
columns:
  customer: { classification: person.id, action: keep }
  no: { classification: internal, action: keep }
  total: { classification: internal, action: keep }
`;
const schema = `
  create table customers (id int primary key, email text not null, name text, ssn text, extra text);
  create schema sales;
  create table sales.orders (customer int, no int, total numeric(10,2), primary key (customer, no));
  create table other (id int primary key);`;

const { ConfigResourceTypes } = kafkajs;
let project: LetheProject;

beforeAll(async () => {
  const contracts = { 'customers.yaml': customers, 'orders.yaml': orders };
  project = await LetheProject.create(await acquireStack(), { schema, contracts });
});
afterAll(() => project.drop());

async function plan(): Promise<string[]> {
  const { stdout, stderr } = await project.lethe('plan', '--json');
  expect(stderr).not.toContain('error');
  const { changes } = JSON.parse(stdout) as {
    changes: { system: string; action: string; summary: string }[];
  };
  return changes.map(({ system, action, summary }) => `${system} ${action} ${summary}`);
}

async function publishedColumns(): Promise<Record<string, string[]>> {
  const { rows } = await project.sql(
    `select schemaname || '.' || tablename as name, attnames::text[] as columns
     from pg_publication_tables where pubname = $1 and schemaname <> 'lethe' order by 1`,
    [`lethe_${project.name}`],
  );
  return Object.fromEntries(rows.map((row) => [String(row['name']), row['columns'] as string[]]));
}

function connect(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${project.endpoints.connect.url}/connectors/lethe-${project.name}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function connectorState(): Promise<unknown> {
  const { connector, tasks } = (await (await connect('GET', '/status')).json()) as {
    connector: { state: string };
    tasks: { state: string }[];
  };
  return [connector.state, ...tasks.map((task) => task.state)];
}

test('plan changes nothing, apply makes what it shows, and again does nothing', async () => {
  const planned = await plan();
  expect(planned.length).toBeGreaterThan(10);
  expect(await project.traces()).toEqual([]);

  const first = await project.lethe('apply', '--json');
  expect(first).toMatchObject({ code: 0 });
  const made = JSON.parse(first.stdout) as {
    applied: { system: string; action: string; summary: string }[];
  };
  expect(made.applied.map(({ system, action, summary }) => `${system} ${action} ${summary}`)).toEqual(
    planned,
  );
  expect(await connectorState()).toEqual(['RUNNING', 'RUNNING']);
  expect(await publishedColumns()).toEqual({
    'public.customers': ['id', 'email', 'name'],
    'sales.orders': ['customer', 'no', 'total'],
  });

  const traces = await project.traces();
  expect(traces).toEqual(
    expect.arrayContaining([
      `publication lethe_${project.name}`,
      `slot lethe_${project.name}`,
      `connector lethe-${project.name}`,
      `subject ${project.name}.clean.sales.orders-value`,
      `topic ${project.name}.raw.public.customers`,
      `topic ${project.name}.clean.public.customers`,
      `topic ${project.name}.deadletter.sales.orders`,
    ]),
  );
  expect(await plan()).toEqual([]);
  expect(await project.lethe('apply')).toMatchObject({ code: 0, stdout: 'nothing to do\n' });
  // The converter registers the raw schemas with the first records.
  const applied = (all: string[]): string[] => all.filter((trace) => !/^subject .*raw/.test(trace)).sort();
  expect(applied(await project.traces())).toEqual(applied(traces));
});

test('settings that drift are put right, and settings of others are left alone', async () => {
  const admin = createKafka(await project.config(), 'test').admin();
  await admin.connect();
  const topic = `${project.name}.clean.public.customers`;
  const configEntries = [
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'flush.ms', value: '12345' },
  ];
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
  expect(await plan()).toEqual([expect.stringContaining(`kafka update ${topic}: cleanup.policy=compact`)]);
  expect((await project.lethe('apply')).code).toBe(0);
  const described = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy', 'flush.ms'] },
    ],
  });
  await admin.disconnect();
  const values = described.resources[0]!.configEntries.map(
    (entry) => `${entry.configName}=${entry.configValue}`,
  );
  expect(values.sort()).toEqual(['cleanup.policy=compact', 'flush.ms=12345']);
  expect(await plan()).toEqual([]);
});

test('a table of contracts of an earlier version gets its columns', async () => {
  await project.sql(
    `alter table lethe.contracts_${project.name} drop column generation, drop column record_key, drop column published,
       drop column astray_since, drop column astray_until, drop column source`,
  );
  expect(await plan()).toEqual([
    expect.stringContaining(`postgres update table lethe.contracts_${project.name}`),
    expect.stringContaining('which source this is, is noted'),
  ]);
  expect((await project.lethe('apply')).code).toBe(0);
  expect(await plan()).toEqual([]);
});

test('a contract that no longer needs a column takes it out of publication and connector, and no other table', async () => {
  await project.sql(`create publication somebody_elses for table customers`);
  await project.writeContract(
    'customers.yaml',
    customers.replace('person.name, action: mask', "person.name, action: 'null'"),
  );
  expect((await plan()).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
    expect.arrayContaining(['postgres update', 'registry update', 'connect update']),
  );
  expect((await project.lethe('apply')).code).toBe(0);
  expect(await publishedColumns()).toEqual({
    'public.customers': ['id', 'email'],
    'sales.orders': ['customer', 'no', 'total'],
  });
  expect(await connectorState()).toEqual(['RUNNING', 'RUNNING']);
  expect(await plan()).toEqual([]);
  const { rows } = await project.sql(
    `select attnames::text[] as columns from pg_publication_tables where pubname = 'somebody_elses'`,
  );
  expect(rows).toEqual([{ columns: ['id', 'email', 'name', 'ssn', 'extra'] }]);
});

test('a table without a contract leaves the publication, and the plan says so', async () => {
  await project.sql(`alter publication lethe_${project.name} add table other`);
  expect(await plan()).toEqual([
    `postgres delete publication lethe_${project.name}: public.other leaves it, no contract names it`,
  ]);
  expect((await project.lethe('apply')).code).toBe(0);
  expect(Object.keys(await publishedColumns())).toEqual(['public.customers', 'sales.orders']);
});

test('a setting of the connector that somebody changed is put right', async () => {
  const config = (await (await connect('GET', '/config')).json()) as Record<string, string>;
  const put = await connect('PUT', '/config', {
    ...config,
    'poll.interval.ms': '500',
    'errors.retry.timeout': '7',
  });
  expect(put.status).toBe(200);
  expect(await plan()).toEqual([
    `connect update connector lethe-${project.name}: errors.retry.timeout, poll.interval.ms`,
  ]);
  expect((await project.lethe('apply')).code).toBe(0);
  expect(await plan()).toEqual([]);
});

test('a connector that an interrupted apply left stopped is started', async () => {
  await connect('PUT', '/stop');
  await expect.poll(connectorState, { timeout: 120_000 }).toEqual(['STOPPED']);
  expect(await plan()).toEqual([`connect update connector lethe-${project.name}: start, it is stopped`]);
  expect((await project.lethe('apply')).code).toBe(0);
  expect(await connectorState()).toEqual(['RUNNING', 'RUNNING']);
});

test('a connector that somebody paused stays so, also through a change', async () => {
  const config = (await (await connect('GET', '/config')).json()) as Record<string, string>;
  await connect('PUT', '/pause');
  await expect.poll(connectorState, { timeout: 120_000 }).toEqual(['PAUSED', 'PAUSED']);
  expect(await plan()).toEqual([]);
  await connect('PUT', '/config', { ...config, 'poll.interval.ms': '500' });
  expect((await project.lethe('apply')).code).toBe(0);
  expect(await plan()).toEqual([]);
  expect(await connectorState()).toEqual(['PAUSED', 'PAUSED']);
  await connect('PUT', '/resume');
  await expect.poll(connectorState, { timeout: 120_000 }).toEqual(['RUNNING', 'RUNNING']);
});

test('a connector whose task failed is started again once its cause is gone', async () => {
  await project.sql(`drop publication lethe_${project.name}`);
  await connect('POST', '/restart?includeTasks=true');
  await expect.poll(connectorState, { timeout: 120_000 }).toEqual(['RUNNING', 'FAILED']);
  const isAstray = (change: string): boolean => change.includes('makes good what is missing');
  const changes = await plan();
  expect(changes.filter(isAstray).length).toBeGreaterThan(0);
  expect(changes.filter((change) => !isAstray(change))).toEqual([
    expect.stringContaining(`postgres create publication lethe_${project.name}`),
    expect.stringMatching(/connect update connector lethe-\w+: restart, it failed \(\w+Exception\)/),
  ]);
  expect((await project.lethe('apply')).code).toBe(0);
  expect(await connectorState()).toEqual(['RUNNING', 'RUNNING']);
});

test.each([
  [
    'more partitions',
    async () => project.writeConfig({ topics: { prefix: `${project.name}.`, partitions: 3 } }),
    'has 2 partitions, 3 are asked for',
  ],
  [
    'a schema that cannot read what is there',
    async () =>
      project.writeContract(
        'orders.yaml',
        orders
          .replace(
            'total: { classification: internal, action: keep }',
            'total: { classification: internal, action: hash }',
          )
          .concat('  added: { classification: internal, action: keep }\n'),
      ),
    'cannot read what version',
  ],
  [
    'a publication for all tables',
    async () => {
      await project.sql(`drop publication lethe_${project.name}`);
      await project.sql(`create publication lethe_${project.name} for all tables`);
    },
    'is for all tables or whole schemas',
  ],
])('%s: refused with the reason, and nothing is applied', async (name, ask, reason) => {
  if (name.startsWith('a schema'))
    await project.sql('alter table sales.orders add column added int not null default 0');
  // A change that could be made, beside the one that is refused.
  await project.sql(`alter publication lethe_${project.name} drop table sales.orders`);
  await ask();
  const before = await publishedColumns();
  const { code, stderr } = await project.lethe('apply');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^(?:warning .*\n)*error PLAN_REFUSED: nothing was applied:/);
  expect(stderr).toContain(reason);
  expect(await publishedColumns()).toEqual(before);
  await project.writeConfig();
  await project.writeContract('orders.yaml', orders);
  await project.sql(`drop publication lethe_${project.name}`);
  expect(await project.lethe('apply')).toMatchObject({ code: 0 });
});
