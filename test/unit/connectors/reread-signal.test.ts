import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { rereadSignals } from '../../../connectors/reread-signal.ts';
import type { Dataset } from '../../../schemas/dataset.ts';
import type { Follower } from '../../../schemas/lookups.ts';
import { configOf } from '../../support/contract-fixture.ts';

const dataset = (table: string, action: 'keep' | 'hash') =>
  ({ table, key: [{ name: 'id', rule: { classification: 'internal', action } }] }) as unknown as Dataset;
const follower: Follower = {
  table: 'public.items',
  use: 'subject',
  column: 'order_id',
  through: [],
  fact: 'customer_id',
};

function filterOf(
  action: 'keep' | 'hash',
  keys: readonly string[],
  through: Follower['through'] = [],
): string {
  const datasets = [dataset('public.orders', action), dataset('public.customers', action)];
  const table = through.length > 0 ? 'public.customers' : 'public.orders';
  const { key, value, topic } = rereadSignals(configOf(), datasets, table)({ ...follower, through }, keys);
  expect([key, topic]).toEqual(['raw', 'signals.shop']);
  const { type, data } = JSON.parse(value!.toString()) as {
    type: string;
    data: {
      'data-collections': string[];
      type: string;
      'additional-conditions': { 'data-collection': string; filter: string }[];
    };
  };
  expect([type, data.type, data['data-collections']]).toEqual([
    'execute-snapshot',
    'incremental',
    ['public.items'],
  ]);
  expect(data['additional-conditions'][0]!['data-collection']).toBe('public.items');
  return data['additional-conditions'][0]!.filter;
}

test('a signal asks for the rows with these keys alone', () => {
  expect(filterOf('keep', ['1', '2'])).toBe(`"order_id" IN ('1', '2')`);
});

test('grandchildren are asked for by those between', () => {
  const through = [{ table: 'public.orders', column: 'customer_id' }];
  expect(filterOf('keep', ['7'], through)).toBe(
    `"order_id" IN (SELECT "id" FROM "public"."orders" WHERE "customer_id" IN ('7'))`,
  );
});

test('a key cannot end its literal', () => {
  expect(filterOf('keep', [`o'clock`, `\\'; drop`])).toBe(`"order_id" IN ('o''clock', E'\\\\''; drop')`);
});

test('a key that does not go out in the clear is not named, but compared by a digest', () => {
  const filter = filterOf('hash', ['anna@mail.example']);
  expect(filter).not.toContain('anna');
  const [, salt, digest] =
    /^encode\(sha256\(convert_to\('([\w-]+)' \|\| "order_id"::text, 'UTF8'\)\), 'hex'\) IN \('(\w+)'\)$/.exec(
      filter,
    )!;
  expect(digest).toBe(createHash('sha256').update(`${salt}anna@mail.example`).digest('hex'));
});
