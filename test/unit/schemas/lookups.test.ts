import { expect, test } from 'vitest';
import type { Contract } from '../../../schemas/contract.ts';
import { factsOf, followersOf, lookedUpFirst, pathsOf } from '../../../schemas/lookups.ts';

const base = { owner: 'o', tier: 1, sinks: [], staleness: '1s', columns: {} } as const;
const customers: Contract = {
  ...base,
  sinks: [],
  table: 'public.customers',
  subject: { type: 'customer', key: 'id' },
};
const orders: Contract = {
  ...base,
  sinks: [],
  table: 'public.orders',
  consent: { purpose: 'ads', granted: [true], path: ['customer_id', 'public.customers.agreed'] },
};
const items: Contract = {
  ...base,
  sinks: [],
  table: 'public.items',
  subject: { type: 'customer', path: ['order_id', 'public.orders.customer_id'] },
  consent: {
    purpose: 'ads',
    granted: [true],
    path: ['order_id', 'public.orders.customer_id', 'public.customers.agreed'],
  },
};
const staff: Contract = {
  ...base,
  sinks: [],
  table: 'hr.staff',
  subject: { type: 'staff', path: ['boss', 'hr.staff.boss', 'hr.staff.id'] },
};
const all = [items, orders, staff, customers];

test('the facts of a table are all that any path reads in it', () => {
  expect(factsOf('public.orders', all)).toEqual(['customer_id']);
  expect(factsOf('public.customers', all)).toEqual(['agreed']);
  expect(factsOf('hr.staff', all)).toEqual(['boss', 'id']);
  expect(factsOf('public.items', all)).toEqual([]);
});

test('who depends on a row is found over every hop before it', () => {
  const through = [{ table: 'public.orders', column: 'customer_id' }];
  expect(followersOf('public.customers', all)).toEqual([
    { table: 'public.items', use: 'consent', column: 'order_id', through, fact: 'agreed' },
    { table: 'public.orders', use: 'consent', column: 'customer_id', through: [], fact: 'agreed' },
  ]);
  expect(followersOf('public.orders', all).map(({ use, through: hops }) => [use, hops.length])).toEqual([
    ['consent', 0],
    ['subject', 0],
  ]);
});

test('consent is asked for before the subject', () => {
  expect(pathsOf(items).map(({ use }) => use)).toEqual(['consent', 'subject']);
  expect(pathsOf(customers)).toEqual([]);
});

test('a snapshot reads what is looked up first, a table that looks itself up where it stands', () => {
  const datasets = all.map((contract) => ({ contract }));
  expect(lookedUpFirst(datasets).map(({ contract }) => contract.table)).toEqual([
    'public.customers',
    'public.orders',
    'public.items',
    'hr.staff',
  ]);
});
