import { expect, test } from 'vitest';
import type { CatalogColumn } from '../../../../connectors/postgres/catalog.ts';
import type { ForeignKey } from '../../../../connectors/suggest/foreign-keys.ts';
import { columnOf, tableOf } from '../../../support/contract-fixture.ts';
import { proposeFor } from '../../../support/suggest-fixture.ts';

const id = columnOf('id', 'int8', { nullable: false });
const refers = (name: string, rest: Partial<CatalogColumn> = {}): CatalogColumn =>
  columnOf(name, 'int8', { nullable: false, ...rest });
const orders = (...columns: CatalogColumn[]) =>
  tableOf({ table: 'public.orders', columns: [id, ...columns] });

test('a table of people is its own subject', () => {
  expect(proposeFor(tableOf()).contract.subject).toEqual({ type: 'customer', key: 'id' });
});

test('a table of people with a key of two columns has none', () => {
  const table = tableOf({ columns: [id, refers('tenant')], primaryKey: ['tenant', 'id'] });
  const { contract, subjectReason } = proposeFor(table);
  expect(contract.subject).toBeUndefined();
  expect(subjectReason).toContain('no single column');
});

test('a foreign key to people says whose row it is', () => {
  const { contract } = proposeFor(orders(refers('customer_id')), { foreignKeys: [{}] });
  expect(contract.subject).toEqual({ type: 'customer', key: 'customer_id' });
  expect(contract.columns['customer_id']).toEqual({ classification: 'person.id', action: 'keep' });
});

const cases: readonly [string, CatalogColumn[], Partial<ForeignKey>[], string][] = [
  ['that may be null', [refers('customer_id', { nullable: true })], [{}], 'may be null'],
  ['to another column than the key', [refers('customer_id')], [{ toKey: false }], 'no direct column'],
  ['to what is no person', [refers('customer_id')], [{ toTable: 'public.products' }], 'no direct column'],
  [
    'of two persons alike',
    [refers('sender'), refers('receiver')],
    [{ columns: ['sender'] }, { columns: ['receiver'] }],
    'sender, receiver each refer to a person',
  ],
];
test.each(cases)('a foreign key %s does not', (_name, columns, foreignKeys, reason) => {
  const { contract, subjectReason } = proposeFor(orders(...columns), { foreignKeys });
  expect(contract.subject).toBeUndefined();
  expect(subjectReason).toContain(reason);
});

test('of a customer and a clerk the row is the customer’s', () => {
  const foreignKeys = [{ columns: ['clerk'], toTable: 'public.employees' }, {}];
  const { contract } = proposeFor(orders(refers('clerk'), refers('customer_id')), { foreignKeys });
  expect(contract.subject).toEqual({ type: 'customer', key: 'customer_id' });
});

test('patients whose key is a person’s are those persons', () => {
  const table = tableOf({ table: 'public.patients', columns: [id], primaryKey: ['id'] });
  const foreignKeys = [{ columns: ['id'], toTable: 'public.persons', isKey: true }];
  expect(proposeFor(table, { foreignKeys }).contract.subject).toEqual({ type: 'person', key: 'id' });
});

test('a text key and what refers to it get pseudonyms of one domain', () => {
  const products = tableOf({
    table: 'public.products',
    columns: [columnOf('sku', 'text', { nullable: false })],
    primaryKey: ['sku'],
  });
  const key = {
    table: 'public.orders',
    columns: ['product_sku'],
    toTable: 'public.products',
    toColumns: ['sku'],
  };
  const line = orders(columnOf('product_sku', 'text'));
  const rules = [
    proposeFor(products, { foreignKeys: [key] }).contract.columns['sku'],
    proposeFor(line, { foreignKeys: [key] }).contract.columns['product_sku'],
  ];
  for (const rule of rules) expect(rule).toMatchObject({ action: 'hash', domain: 'products-sku' });
});

test('what belongs to a person over others keeps no moment as it is', () => {
  const lines = tableOf({
    table: 'public.order_lines',
    columns: [id, refers('order_id'), columnOf('packed', 'timestamptz')],
  });
  const toOrders = { table: 'public.order_lines', columns: ['order_id'], toTable: 'public.orders' };
  const packed = (foreignKeys: Partial<ForeignKey>[]) =>
    proposeFor(lines, { foreignKeys }).contract.columns['packed']?.action;
  expect(packed([toOrders])).toBe('keep');
  expect(packed([toOrders, { table: 'public.orders' }])).toBe('generalise');
});
