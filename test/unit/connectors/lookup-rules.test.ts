import { expect, test } from 'vitest';
import { checkTable } from '../../../connectors/check-table.ts';
import type { CatalogTable } from '../../../connectors/postgres/catalog.ts';
import { checkContracts } from '../../../schemas/check-contract.ts';
import type { LoadedContract } from '../../../schemas/load-contracts.ts';
import { columnOf, configOf, contractOf, tableOf } from '../../support/contract-fixture.ts';

const item = (path: string): LoadedContract =>
  contractOf(
    `table: public.items
owner: crm
tier: 1
${path}
sinks: []
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  order_id: { classification: internal, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
    'contracts/items.yaml',
  );
const order = contractOf(
  `table: public.orders
owner: crm
tier: 1
sinks: []
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: drop }
  agreed: { classification: internal, action: drop }
`,
  'contracts/orders.yaml',
);
const subject = 'subject: { type: customer, path: [order_id, public.orders.customer_id] }';
const consent = (granted = 'true') =>
  `subject: { type: item, key: id }\nconsent: { purpose: ads, path: [order_id, public.orders.agreed], granted: [${granted}] }`;

const required = { nullable: false };
const itemTable = (orderId = 'int4'): CatalogTable =>
  tableOf({
    table: 'public.items',
    columns: [columnOf('id', 'int4', required), columnOf('order_id', orderId), columnOf('note', 'text')],
  });
const orderTable = (parts: Partial<CatalogTable> = {}, id = 'int4', customer = 'int8'): CatalogTable =>
  tableOf({
    table: 'public.orders',
    columns: [
      columnOf('id', id, required),
      columnOf('customer_id', customer, required),
      columnOf('agreed', 'bool'),
    ],
    ...parts,
  });

function found(loaded: LoadedContract, ...tables: CatalogTable[]): string[] {
  const contracts = [loaded, order];
  const catalog = {
    serverVersion: 180004,
    tables: new Map(tables.map((table) => [table.table, table])),
    names: [],
  };
  return [...checkContracts(contracts, configOf()), ...checkTable(loaded, catalog, contracts)].map(
    ({ severity, file, line, field, code }) => `${severity} ${file}:${line} ${field} ${code}`,
  );
}
const at = (field: string, code: string, line = 4) => `error contracts/items.yaml:${line} ${field} ${code}`;

test('a path of whole numbers, uuid or text has no finding', () => {
  expect(found(item(subject), itemTable(), orderTable())).toEqual([]);
  expect(found(item(subject), itemTable('int8'), orderTable())).toEqual([]);
  expect(found(item(subject), itemTable('uuid'), orderTable({}, 'uuid', 'uuid'))).toEqual([]);
  expect(found(item(subject), itemTable('varchar'), orderTable({}, 'text', 'text'))).toEqual([]);
  expect(found(item(consent()), itemTable(), orderTable())).toEqual([]);
});

test('its first column must be listed, and each table have a contract that lists what is looked up', () => {
  expect(found(item(subject.replace('order_id,', 'order,')), itemTable(), orderTable())).toEqual([
    at('subject.path.0', 'PATH_COLUMN'),
    at('subject.path.0', 'PATH_COLUMN'),
  ]);
  expect(found(item(subject.replace('public.orders', 'public.order')), itemTable(), orderTable())).toEqual([
    at('subject.path.1', 'PATH_TABLE'),
  ]);
  expect(found(item(subject.replace('customer_id', 'customer')), itemTable(), orderTable())).toEqual([
    at('subject.path.1', 'PATH_COLUMN'),
    at('subject.path.1', 'PATH_COLUMN'),
  ]);
});

test('what is joined must be of one kind that has one spelling', () => {
  for (const [value, key] of [
    ['text', 'int4'],
    ['uuid', 'text'],
    ['citext', 'citext'],
    ['bpchar', 'bpchar'],
    ['numeric', 'numeric'],
  ] as const) {
    expect(found(item(subject), itemTable(value), orderTable({}, key))).toEqual([
      at('subject.path.1', 'PATH_COLUMN'),
    ]);
  }
});

test('a table without a primary key of one column cannot be looked up', () => {
  for (const primaryKey of [[], ['id', 'customer_id']]) {
    expect(found(item(subject), itemTable(), orderTable({ primaryKey }))).toEqual([
      at('subject.path.1', 'PATH_TABLE'),
    ]);
  }
});

test('the end must be a subject, or have the values that mean yes', () => {
  expect(found(item(subject), itemTable(), orderTable({}, 'int4', 'date'))).toEqual([
    at('subject.path.1', 'SUBJECT_TYPE'),
  ]);
  const nullable = orderTable({
    columns: [columnOf('id', 'int4', required), columnOf('customer_id', 'int4')],
  });
  expect(found(item(subject), itemTable(), nullable)).toEqual([
    'warning contracts/items.yaml:4 subject.path.1 SUBJECT_NULLABLE',
  ]);
  expect(found(item(consent('yes')), itemTable(), orderTable())).toEqual([
    at('consent.granted', 'CONDITION_TYPE', 5),
  ]);
});

test('a column that is looked up must be readable, though its own contract drops it', () => {
  const hidden = orderTable({
    columns: [
      columnOf('id', 'int4', required),
      columnOf('customer_id', 'int4', { ...required, readable: false }),
    ],
  });
  const tables = new Map([[hidden.table, hidden]]);
  const contracts = [item(subject), order];
  const findings = checkTable(order, { serverVersion: 180004, tables, names: [] }, contracts);
  expect(findings.map(({ code }) => code)).toContain('TABLE_ACCESS');
  expect(findings.find(({ code }) => code === 'TABLE_ACCESS')?.message).toContain('customer_id');
});
