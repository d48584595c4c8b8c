import { expect, test } from 'vitest';
import { checkTable } from '../../../connectors/check-table.ts';
import type { CatalogTable } from '../../../connectors/postgres/catalog.ts';
import { catalogOf, columnOf, contractOf, tableOf } from '../../support/contract-fixture.ts';

const columns = `  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: hash, under: shared }
  email: { classification: person.contact, action: encrypt }
  total: { classification: internal, action: keep }
`;

const table = (parts: Partial<CatalogTable> = {}): CatalogTable =>
  tableOf({
    table: 'public.customers',
    columns: [
      columnOf('id', 'int8', { nullable: false }),
      columnOf('customer_id', 'int8', { nullable: false }),
      columnOf('email', 'text'),
      columnOf('total', 'int8', { nullable: false }),
      columnOf('shown', 'text', { generation: 'stored' }),
      columnOf('note', 'text'),
    ],
    ...parts,
  });

function findings(erasure: string, changed = columns, key = 'customer_id', parts?: Partial<CatalogTable>) {
  const text = `table: public.customers
owner: crm
tier: 1
subject: { type: customer, key: ${key} }
erasure: ${erasure}
sinks: []
staleness: 30s
columns:
${changed}`;
  return checkTable(contractOf(text), catalogOf(table(parts)))
    .filter(({ field }) => field.startsWith('erasure'))
    .map(({ severity, line, field, code }) => `${severity} ${line} ${field} ${code}`);
}

test('columns that can be null may be set to it, passed or not', () => {
  expect(findings("{ source: 'null', columns: [email, note] }")).toEqual([]);
});

test('a personal column that stays at the source is told', () => {
  expect(findings("{ source: 'null', columns: [note] }")).toEqual(['notice 5 erasure.columns ERASURE_RULE']);
});

test.each([
  ['total', 'ERASURE_RULE'],
  ['shown', 'ERASURE_RULE'],
  ['emial', 'COLUMN_MISSING'],
])('%s cannot be set to null', (name, code) => {
  expect(findings(`{ source: 'null', columns: [email, ${name}] }`)).toEqual([
    `error 5 erasure.columns.1 ${code}`,
  ]);
});

const retain = (names: string): string => `{ retain: { columns: [${names}], basis: law, for: 10y } }`;

test('columns that lead to nobody may be kept, whoever’s key they are under', () => {
  expect(findings(retain('total, email'))).toEqual([]);
});

test('what says whose row it is cannot be kept, a pseudonym neither', () => {
  expect(findings(retain('total, customer_id'))).toEqual(['error 5 erasure.retain.columns.1 ERASURE_RULE']);
});

test('the primary key cannot be kept: a row that is kept has another one', () => {
  expect(findings(retain('id, total'))).toEqual(['error 5 erasure.retain.columns.0 ERASURE_RULE']);
});

test.each([
  ['date', 'keep', 1],
  ['numeric', 'keep', 1],
  ['date', 'hash', 0],
  ['uuid', 'keep', 0],
  ['text', 'keep', 0],
  ['int4', 'tokenise', 0],
])('of a key of type %s under %s an id can be drawn, or not', (type, action, errors) => {
  const changed = columns.replace(
    'id: { classification: internal, action: keep',
    `id: { classification: internal, action: ${action}`,
  );
  const parts = { columns: [columnOf('id', type, { nullable: false }), ...table().columns.slice(1)] };
  expect(findings(retain('total'), changed, 'customer_id', parts)).toEqual(
    Array.from({ length: errors }, () => 'error 5 erasure.retain ERASURE_RULE'),
  );
});

test('an erasure starts where the primary key is the person’s', () => {
  expect(findings('{ starts: true }', columns, 'id')).toEqual([]);
  expect(findings('{ starts: true }')).toEqual(['error 5 erasure.starts ERASURE_RULE']);
  const composite = { primaryKey: ['id', 'customer_id'] };
  expect(findings('{ starts: true }', columns, 'id', composite)).toEqual([
    'error 5 erasure.starts ERASURE_RULE',
  ]);
});
