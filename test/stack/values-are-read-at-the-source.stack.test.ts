import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readCatalog } from '../../connectors/postgres/catalog.ts';
import { ValueReader } from '../../connectors/postgres/value-reader.ts';
import { postgresOptions } from '../../pipeline/postgres-options.ts';
import { type Dataset, deriveDataset } from '../../schemas/dataset.ts';
import { contractOf } from '../support/contract-fixture.ts';
import { acquireStack, freshDatabase, type TestDatabase } from '../support/stack.ts';

const types = [
  'int',
  'text',
  'varchar(9)',
  'char(4)',
  'uuid',
  'numeric',
  'date',
  'timestamptz(3)',
  'mood',
  'positive',
] as const;
const keys: readonly (readonly string[])[] = [
  [
    '1',
    'a "b", {c}\\',
    'NULL',
    'x   ',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    '1.50',
    '2024-02-29',
    '2024-02-29T12:00:00.500Z',
    'fine',
    '7',
  ],
  [
    '2',
    '',
    'null',
    'äöü ',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12',
    'NaN',
    '0044-03-15',
    'infinity',
    'so so',
    '8',
  ],
];

let database: TestDatabase;
let client: Client;
let dataset: Dataset;
let reader: ValueReader;

const read = (rows: readonly (readonly string[])[], columns: readonly string[]) =>
  reader.read(
    'public.things',
    rows.map((key) => ({ key, txId: undefined })),
    columns,
  );

beforeAll(async () => {
  database = await freshDatabase((await acquireStack()).endpoints, 'reader');
  client = new Client({ connectionString: database.url });
  await client.connect();
  const parts = types.map((_, i) => `k${i}`);
  await client.query(`
    create type mood as enum ('fine', 'so so');
    create domain positive as int check (value > 0);
    create type inner_part as (at timestamptz, span interval);
    create type part as ("odd key" text, inner_part inner_part, raw bytea, real float8, days date[]);
    create table things (${parts.map((name, i) => `${name} ${types[i]}`).join(', ')}, note text, part part, grid real[],
      primary key (${parts.join(', ')}))`);
  // What a session of the application may be set to says nothing.
  await client.query(`alter database "${new URL(database.url).pathname.slice(1)}" set datestyle = 'German, DMY';
    alter database "${new URL(database.url).pathname.slice(1)}" set timezone = 'Asia/Tokyo';
    alter database "${new URL(database.url).pathname.slice(1)}" set bytea_output = 'escape'`);
  for (const [i, key] of keys.entries()) {
    const values = [
      ...key,
      `note ${i}`,
      `("v ""${i}""","(2024-02-29 12:00+00,1 day)","\\\\x00ff",0.1,{2024-02-29})`,
      '{0.1}',
    ];
    await client.query(`insert into things values (${values.map((_, n) => `$${n + 1}`).join(', ')})`, values);
  }
  const { tables } = await readCatalog(client, ['public.things']);
  const rules = parts.map((name) => `  ${name}: { classification: internal, action: keep }`).join('\n');
  const { contract } = contractOf(`table: public.things
owner: test@lethe.example
tier: 1
sinks: []
staleness: 30s
columns:
${rules}
  note: { classification: internal, action: keep }
  part: { classification: internal, action: paths, paths: { inner_part.at: { action: keep } } }
  grid: { classification: internal, action: paths, paths: { '[]': { action: keep } } }
`);
  dataset = deriveDataset(contract, tables.get('public.things')!);
  reader = new ValueReader(postgresOptions({ url: database.url }), [dataset]);
});
afterAll(async () => {
  await reader?.close();
  await client?.end();
  await database?.drop();
});

it('in the order in which they are asked for, by keys of every type, also twice and where there is none', async () => {
  const gone = keys[0]!.with(0, '3');
  const rows = await read([keys[1]!, gone, keys[0]!, keys[1]!], ['note']);
  expect(rows.map((row) => row?.values.get('note'))).toEqual(['note 1', undefined, 'note 0', 'note 1']);
  expect(rows[1]).toBeNull();
  const many = Array.from({ length: 100 }, (_, i) => keys[i % 2]!);
  expect((await read(many, ['note'])).map((row) => row?.values.get('note'))).toEqual(
    many.map((_, i) => `note ${i % 2}`),
  );
});

it('as JSON with the names that the fields have now, whatever the database is set to', async () => {
  const [row] = await read([keys[0]!], ['part', 'grid']);
  expect(row!.values.get('part')).toBe(
    String.raw`{"odd key":"v \"0\"","inner_part":{"at":"2024-02-29T12:00:00+00:00","span":"P1D"},"raw":"\\x00ff","real":0.1,"days":["2024-02-29"]}`,
  );
  expect(row!.values.get('grid')).toBe('[0.1]');
  await client.query('alter type part drop attribute "odd key", add attribute secret text');
  const [later] = await read([keys[0]!], ['part']);
  expect(Object.keys(JSON.parse(later!.values.get('part') as string) as object)).toEqual([
    'inner_part',
    'raw',
    'real',
    'days',
    'secret',
  ]);
});

it('no more once the column is gone, or of another type', async () => {
  await client.query('alter table things rename column note to remark');
  await expect(read([keys[0]!], ['note'])).rejects.toMatchObject({ code: 'VALUE_UNRESOLVED' });
  await client.query(
    'alter table things alter column part type text using null, alter column grid type text using null',
  );
  await expect(read([keys[0]!], ['part'])).rejects.toMatchObject({ code: 'SCHEMA_UNEXPECTED' });
  await expect(read([keys[0]!], ['grid'])).rejects.toMatchObject({ code: 'SCHEMA_UNEXPECTED' });
});
