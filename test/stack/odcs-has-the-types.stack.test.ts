import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { LetheProject } from '../support/lethe-project.ts';
import { odcsViolations } from '../support/odcs-schema.ts';
import { acquireStack } from '../support/stack.ts';

/** A column of each kind, with its contract's line. */
const columns: readonly (readonly [name: string, sql: string, rule: string, odcs: object])[] = [
  [
    'region',
    'varchar(8) not null',
    'internal, action: keep',
    {
      logicalType: 'string',
      physicalType: 'character varying(8)',
      required: true,
      primaryKey: true,
      primaryKeyPosition: 2,
    },
  ],
  [
    'id',
    'bigint not null',
    'person.id, action: hash',
    {
      logicalType: 'integer',
      physicalType: 'bigint',
      required: true,
      primaryKey: true,
      primaryKeyPosition: 1,
    },
  ],
  [
    'email',
    'text',
    'person.contact, action: mask, keepEnd: 4',
    { logicalType: 'string', physicalType: 'text', required: false },
  ],
  [
    'total',
    'numeric(10,2)',
    'internal, action: keep',
    { logicalType: 'number', physicalType: 'numeric(10,2)' },
  ],
  [
    'ratio',
    'double precision',
    'internal, action: keep',
    { logicalType: 'number', physicalType: 'double precision' },
  ],
  ['active', 'boolean', 'internal, action: keep', { logicalType: 'boolean', physicalType: 'boolean' }],
  [
    'born',
    'date',
    'person.birth, action: generalise, to: year',
    { logicalType: 'date', physicalType: 'date' },
  ],
  ['at', 'time', 'internal, action: keep', { logicalType: 'time', physicalType: 'time without time zone' }],
  [
    'seen',
    'timestamptz',
    'internal, action: keep',
    {
      logicalType: 'timestamp',
      logicalTypeOptions: { timezone: true },
      physicalType: 'timestamp with time zone',
    },
  ],
  [
    'ref',
    'uuid',
    'internal, action: keep',
    { logicalType: 'string', logicalTypeOptions: { format: 'uuid' }, physicalType: 'uuid' },
  ],
  [
    'profile',
    'jsonb',
    'internal, action: paths, paths: { born: { action: generalise, to: year, classification: person.birth } }',
    { logicalType: 'object', physicalType: 'jsonb' },
  ],
  ['tags', 'text[]', 'internal, action: keep', { logicalType: 'array', physicalType: 'text[]' }],
  [
    'photo',
    'bytea',
    "person.id, action: 'null'",
    { logicalType: 'string', logicalTypeOptions: { format: 'binary' }, physicalType: 'bytea' },
  ],
  ['span', 'tstzrange', 'internal, action: drop', { physicalType: 'tstzrange' }],
  [
    'home',
    'place',
    'person.address, action: paths, paths: { city: { action: keep, classification: location } }',
    { logicalType: 'object', physicalType: 'place' },
  ],
  ['prices', 'numeric[]', "internal, action: 'null'", { logicalType: 'array', physicalType: 'numeric[]' }],
];

const customers = `table: public.customers
owner: crm@shop.example
tier: 0
sinks: [clickhouse]
staleness: 5m
columns:
${columns.map(([name, , rule]) => `  ${name}: { classification: ${rule} }`).join('\n')}
`;

let project: LetheProject;

beforeAll(async () => {
  const table = columns.map(([name, sql]) => `${name} ${sql}`).join(', ');
  project = await LetheProject.create(await acquireStack(), {
    schema: `create type place as (city text, street text); create table customers (${table}, secret text, primary key (id, region))`,
    contracts: { 'customers.yaml': customers },
  });
});
afterAll(() => project.drop());

test("an export has the database's types, is valid by the standard's schema, and comes back as the contract", async () => {
  const exported = await project.lethe('odcs', 'export', 'customers', '--out', 'odcs');
  expect(exported).toMatchObject({ code: 0, stdout: 'wrote odcs/customers.odcs.yaml\n', stderr: '' });
  const printed = await project.lethe('odcs', 'export', '--all');
  const odcs = parse(printed.stdout) as Record<string, unknown>;
  expect(odcsViolations(odcs)).toEqual([]);
  const { host, pathname, port } = new URL(project.source.url);
  expect(odcs).toMatchObject({
    team: { name: 'crm@shop.example' },
    slaProperties: [{ property: 'latency', value: 5, unit: 'min' }],
    servers: [
      {
        type: 'postgres',
        host: host.split(':')[0],
        port: Number(port),
        database: pathname.slice(1),
        schema: 'public',
      },
    ],
    schema: [{ name: 'customers', properties: columns.map(([name, , , types]) => ({ name, ...types })) }],
  });
  expect(printed.stdout).not.toContain('secret');

  const refused = await project.lethe('odcs', 'import', 'odcs/customers.odcs.yaml');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('public.customers has a contract already: contracts/customers.yaml');
  await project.removeContract('customers.yaml');
  const imported = await project.lethe('odcs', 'import', 'odcs/customers.odcs.yaml', '--json');
  expect(JSON.parse(imported.stdout)).toEqual({
    written: [
      { table: 'public.customers', file: 'contracts/customers.yaml', columns: columns.length, proposed: 0 },
    ],
  });
  expect((await project.lethe('check', '--json')).stdout).toContain('"ok":true');
  expect((await project.lethe('odcs', 'export', 'customers')).stdout).toBe(printed.stdout);
});
