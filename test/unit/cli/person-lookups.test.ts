import { expect, test } from 'vitest';
import { notExamined } from '../../../cli/erase/not-examined.ts';
import { personLookups } from '../../../cli/erase/person-lookups.ts';
import { newInventory } from '../../../erasure/inventory.ts';
import type { OpenErasure } from '../../../erasure/runner.ts';
import type { LookupCipher } from '../../../pipeline/lookup.ts';
import type { Contract } from '../../../schemas/contract.ts';
import { type Dataset, deriveDataset } from '../../../schemas/dataset.ts';
import { factsOf } from '../../../schemas/lookups.ts';
import { contractOf } from '../../support/contract-fixture.ts';
import { pathContracts } from '../../support/path-shop.ts';

const loaded: string[] = [];
const cipher = {
  load: async (tables: readonly string[]) => void loaded.push(...tables),
  digest: (table: string, key: string) => `${table} ${key}`,
} as LookupCipher;

/** Whatever the columns are named, they are texts; the first is the key. */
function datasetsOf(contracts: readonly Contract[]): Dataset[] {
  return contracts.map((contract) => {
    const columns = Object.keys(contract.columns).map((name) => ({
      name,
      typeName: 'text',
      typeKind: 'b',
      typeText: 'text',
      nullable: false,
      generated: false,
    }));
    return deriveDataset(
      contract,
      {
        table: contract.table,
        columns,
        primaryKey: [columns[0]!.name],
        replicaIdentity: 'default',
        relKind: 'r',
      },
      factsOf(contract.table, contracts),
    );
  });
}

const datasets = datasetsOf(Object.values(pathContracts('2h')).map((text) => contractOf(text).contract));
const erasure = {
  inventory: {
    ...newInventory('customer', '7'),
    records: [
      { table: 'public.orders', key: '300' },
      { table: 'public.mailboxes', key: 'pseudonym' },
      { table: 'public.order_items', key: '3000' },
    ],
    sourceKeys: { 'public.orders': ['301'], 'public.mailboxes': ['a%7Cb'] },
  },
} as unknown as OpenErasure;

test('a person’s looked-up rows are those at the source, and those of the index whose record key is their own', async () => {
  const found = await personLookups(datasets, cipher, [erasure]);
  expect(Object.fromEntries([...found].map(([table, digests]) => [table, [...digests]]))).toEqual({
    'public.customers': [],
    'public.orders': ['public.orders 301', 'public.orders 300'],
    // A pseudonym leads to no row; the row at the source is called by its key, not by the form that a record's key has.
    'public.mailboxes': ['public.mailboxes a|b'],
  });
  expect(loaded).toEqual([...found.keys()]);
});

test('a certificate says which tables’ rows may wait unknown, and until when they do', () => {
  const unknown = (own: readonly Dataset[]) =>
    notExamined(own).filter(({ what }) => /a row which nobody knows|path leads to no row/.test(what));
  const found = unknown(datasets);
  const tables = 'public.order_items, public.newsletters, public.letters';
  expect(found.map(({ what }) => what)).toEqual([
    `rows of ${tables} that wait for a row which nobody knows`,
    `rows at the source in ${tables} whose path leads to no row`,
  ]);
  const days = (Date.parse(found[0]!.until!) - Date.now()) / 86_400_000;
  // Two hours of waiting, and a month among the dead letters.
  expect(days).toBeGreaterThan(30.08);
  expect(days).toBeLessThan(30.09);
  expect(unknown(datasets.filter(({ table }) => table === 'public.customers'))).toEqual([]);
});
