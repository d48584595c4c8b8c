import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LetheError } from '../../../schemas/errors.ts';
import { type LookupRecord, LookupStore } from '../../../pipeline/lookup-store.ts';

const table = 'public.orders';
const version = (n: number): string => `0001-${String(n).padStart(16, '0')}-${'0'.repeat(16)}-00000000`;
const at = (offset: number, digest: string, text: string | null): LookupRecord => ({
  offset: BigInt(offset),
  digest,
  row: text === null ? null : { version: version(offset), sealed: Buffer.from(text) },
});
const dayMs = 86_400_000;

let folder: string;
const open: LookupStore[] = [];
const store = (): LookupStore => {
  const opened = new LookupStore(folder);
  open.push(opened);
  return opened;
};
const closeAll = () => Promise.all(open.splice(0).map((one) => one.close()));
const text = (from: LookupStore, digest: string) => {
  from.refresh();
  return from.get(table, digest)?.sealed.toString();
};
const reconcile = (one: LookupStore, topicId: string, end: number, nowMs = 0) =>
  one.reconcile(table, topicId, [{ partition: 0, next: BigInt(end) }], nowMs, dayMs);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lethe-lookups-'));
});
afterEach(async () => {
  await closeAll();
  rmSync(folder, { recursive: true });
});

test('a restart finds the rows and goes on where it stood', async () => {
  const first = store();
  await reconcile(first, 'a', 0);
  expect(await first.apply(table, 0, 0n, [at(0, 'x', 'one'), at(1, 'y', 'two')], 3n)).toBe(3n);
  expect(await first.apply(table, 0, 3n, [at(3, 'y', null)], 4n)).toBe(4n);
  await closeAll();
  const second = store();
  await reconcile(second, 'a', 4);
  expect(second.next(table, 0)).toBe(4n);
  expect(second.next(table, 1)).toBe(0n);
  expect(second.get(table, 'x')).toEqual({ version: version(0), sealed: Buffer.from('one') });
  expect(second.has(table, 'y')).toBe(false);
});

test('an older record does not beat a newer one, whoever brings it', async () => {
  const one = store();
  const other = store();
  await reconcile(one, 'a', 0);
  await reconcile(other, 'a', 0);
  await one.apply(table, 0, 0n, [at(0, 'x', 'old'), at(1, 'z', 'gone soon')], 2n);
  await one.apply(table, 0, 2n, [at(5, 'x', 'new'), at(6, 'z', null)], 7n);
  // The other process reads the same topic, later and in other portions.
  expect(await other.apply(table, 0, 0n, [at(0, 'x', 'old'), at(1, 'z', 'gone soon')], 2n)).toBe(7n);
  expect(text(other, 'x')).toBe('new');
  expect(text(other, 'z')).toBeUndefined();
  expect(await other.apply(table, 0, 0n, [at(0, 'x', 'old'), at(8, 'x', 'newest')], 9n)).toBe(9n);
  expect(text(one, 'x')).toBe('newest');
});

test('what another process has thrown away is read again from the start', async () => {
  const one = store();
  await reconcile(one, 'a', 0);
  await one.apply(table, 0, 0n, [at(0, 'x', 'one')], 1n);
  const other = store();
  await reconcile(other, 'b', 0);
  expect(await one.apply(table, 0, 1n, [at(1, 'y', 'two')], 2n)).toBe(0n);
  expect(text(one, 'y')).toBeUndefined();
});

test.each([
  ['was made again', 'b', 2, 0],
  ['ends before the store does', 'a', 1, 0],
  ['has forgotten deletions meanwhile', 'a', 2, 2 * dayMs],
])('a store whose topic %s is thrown away', async (_why, topicId, end, nowMs) => {
  const first = store();
  await reconcile(first, 'a', 0);
  await first.apply(table, 0, 0n, [at(0, 'x', 'one')], 2n);
  await first.apply('public.others', 0, 0n, [at(0, 'x', 'of another table')], 2n);
  await reconcile(first, 'a', 2, dayMs / 2);
  expect(text(first, 'x')).toBe('one');
  await reconcile(first, topicId, end, nowMs);
  expect(text(first, 'x')).toBeUndefined();
  expect(first.next(table, 0)).toBe(0n);
  expect(first.get('public.others', 'x')?.sealed.toString()).toBe('of another table');
});

test('a row that is gone is remembered as such for a day', async () => {
  const one = store();
  await reconcile(one, 'a', 0);
  await one.apply(table, 0, 0n, [at(0, 'x', 'one'), at(1, 'x', null), at(2, 'y', null)], 3n, 1_000);
  expect([one.has(table, 'x'), one.wasDeleted(table, 'x'), one.wasDeleted(table, 'z')]).toEqual([
    false,
    true,
    false,
  ]);
  await one.apply(table, 0, 3n, [at(3, 'y', 'back')], 4n, 2_000);
  await one.seen(table, dayMs);
  expect(one.wasDeleted(table, 'x')).toBe(true);
  await one.seen(table, dayMs + 1_001);
  one.refresh();
  expect([one.wasDeleted(table, 'x'), one.has(table, 'y')]).toEqual([false, true]);
});

test('a folder that cannot be written to is said by its field, not by its name', () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const refused = () => new LookupStore(join(file, 'store'));
  expect(refused).toThrow(LetheError);
  expect(refused).toThrow(/^the folder of state cannot be written to \([A-Z]+\)$/);
});
