import { expect, test } from 'vitest';
import type { LookupCipher } from '../../../pipeline/lookup.ts';
import { ParkedRecords } from '../../../pipeline/parked-records.ts';

/** Nothing is hidden: what is sealed is what it was. */
const cipher: LookupCipher = {
  load: () => Promise.resolve(),
  digest: (_table, key) => `d${key}`,
  seal: (_table, _topic, payload) => payload,
  open: (_table, _topic, sealed) => sealed,
};
const scope = { table: 'public.items', topic: 'parked', partition: 3, cipher };
const waitsFor = { table: 'public.orders', digest: 'd300' };
const record = (offset: string, key: string) => ({
  offset,
  key: Buffer.from(key),
  value: Buffer.from(`row ${key} ${offset}`),
  version: `v${offset}`,
  sinceMs: 1_000,
  waitsFor,
});

test('what a row waits for stands in the topic with it, so that another process can tell whose it is', () => {
  const before = new ParkedRecords(scope, 10);
  const [first, second] = [before.add(record('7', 'a')), before.add(record('8', 'b'))];
  const after = new ParkedRecords(scope, 10);
  for (const { key, value } of [first, second]) after.restore(key, value!);
  expect([...after.all()]).toEqual([
    { ...record('7', 'a'), restored: true },
    { ...record('8', 'b'), restored: true },
  ]);
});

test('a row that was read back is looked at whatever it waited for: its contract may have another path by now', () => {
  const parked = new ParkedRecords(scope, 10);
  const { key, value } = parked.add(record('7', 'a'));
  expect(parked.due(() => false, 0)).toEqual([]);
  const again = new ParkedRecords(scope, 10);
  again.restore(key, value!);
  expect(again.due(() => false, 0)).toHaveLength(1);
});

test('what is taken out is a tombstone in the place where it stands, and the others of its row stay', () => {
  const parked = new ParkedRecords(scope, 10);
  for (const offset of ['7', '8']) parked.add(record(offset, 'a'));
  const [first] = [...parked.all()];
  expect(parked.remove(first!)).toEqual({
    topic: 'parked',
    partition: 3,
    key: '7',
    value: null,
    headers: {},
  });
  expect([...parked.all()].map(({ offset }) => offset)).toEqual(['8']);
  expect(parked.size).toBe(1);
});
