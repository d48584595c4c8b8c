import { expect, test } from 'vitest';
import { signalsFor, type KeyedTable } from '../../../connectors/row-reread.ts';

const column = (name: string, clear: boolean, type = 'text') => ({ name, type, clear });
const row = (...key: string[]) => ({ key, present: true, digests: key.map((_, i) => `digest${i}`) });

function filtersOf(keyed: KeyedTable, rows: readonly ReturnType<typeof row>[]): string[] {
  return signalsFor(keyed, { salt: 'salt', rows }).map((signal) => {
    expect(signal.length).toBeLessThanOrEqual(8_192);
    const parsed = JSON.parse(signal) as { 'additional-conditions': { filter: string }[] };
    expect(parsed).toMatchObject({ type: 'incremental', 'data-collections': [keyed.table] });
    return parsed['additional-conditions'][0]!.filter;
  });
}

test('rows are asked for by their key, in the clear where the contract lets it out', () => {
  const keyed = { table: 'public.t', key: [column('id', true, 'integer')] };
  expect(filtersOf(keyed, [row('1'), row(`o'clock`)])).toEqual([`"id" IN ('1', 'o''clock')`]);
});

test('a column of the key that stays inside is compared by its salted digest', () => {
  const keyed = { table: 'public.t', key: [column('mail', false), column('day', true, 'date')] };
  expect(filtersOf(keyed, [row('anna@mail.example', '2026-01-02')])).toEqual([
    `(encode(sha256(convert_to('salt' || "mail"::text, 'UTF8')), 'hex'), "day") IN (('digest0', '2026-01-02'))`,
  ]);
});

test('a digest does not depend on how a session writes dates', () => {
  const keyed = { table: 'public.t', key: [column('at', false, 'timestamp(3) with time zone')] };
  expect(filtersOf(keyed, [row('x')])[0]).toContain('extract(epoch from "at")::text');
});

test('a signal is no longer than its column, and no row is left out', () => {
  const keyed = { table: 'public.t', key: [column('id', true)] };
  const keys = Array.from({ length: 500 }, (_, i) => `${'k'.repeat(60)}${String(i).padStart(3, '0')}`);
  const filters = filtersOf(
    keyed,
    keys.map((key) => row(key)),
  );
  expect(filters.length).toBeGreaterThan(1);
  for (const key of keys) expect(filters.filter((filter) => filter.includes(`'${key}'`))).toHaveLength(1);
  // A long key is not written out, so that it fits.
  expect(filtersOf(keyed, [row('k'.repeat(9_000))])[0]).toContain('digest0');
});
