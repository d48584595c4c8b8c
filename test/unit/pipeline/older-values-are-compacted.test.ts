import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  nat,
  option,
  record,
  subarray,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keysWithValues, stillThere } from '../../../pipeline/superseded-values.ts';
import { compactPast } from '../../../pipeline/topic-compaction.ts';
import { CompactedLog } from '../../support/compacted-log.ts';

const place = { topic: 'clean.public.t', partition: 0 };
const names = ['a', 'b', 'c', 'd'];
const write = record({
  key: constantFrom(...names),
  value: option(constantFrom('x', 'y')),
  closes: boolean(),
});

/** A log of these writes, and the keys among them that are asked for. */
function logOf(writes: readonly { key: string; value: string | null; closes: boolean }[]): CompactedLog {
  const log = new CompactedLog();
  for (const { key, value, closes } of writes) {
    log.append(key, value);
    if (closes) log.roll();
  }
  return log;
}

describe('values that later records replace', () => {
  it('are those of the keys below the offset that are not the last of their key there', async () => {
    await assert(
      asyncProperty(array(write), subarray(names), nat(40), async (writes, keys, cut) => {
        const log = logOf(writes);
        const below = BigInt(cut) < log.end ? BigInt(cut) : log.end;
        const own = log.records.filter(({ key, offset }) => keys.includes(key) && offset < below);
        const isLast = ({ key, offset }: { key: string; offset: bigint }) =>
          own.findLast((other) => other.key === key)!.offset === offset;
        const found = await keysWithValues(log, { ...place, keys: new Set(keys), below });
        expect(found).toEqual({
          superseded: own.filter((one) => one.value && !isLast(one)).map(({ offset }) => offset),
          live: own.filter((one) => one.value && isLast(one)).length,
        });
      }),
    );
  });

  it('are looked for again only as far as the first that is still there, and none is taken for gone', async () => {
    await assert(
      asyncProperty(array(write, { minLength: 1 }), array(write), async (first, second) => {
        const log = logOf(first);
        const { superseded } = await keysWithValues(log, { ...place, keys: new Set(names), below: log.end });
        for (const { key, value, closes } of second) {
          log.append(key, value);
          if (closes) log.roll();
        }
        log.compact();
        const left = await stillThere(log, place, superseded);
        const really = new Set(log.records.filter(({ value }) => value).map(({ offset }) => offset));
        for (const offset of superseded) if (really.has(offset)) expect(left).toContain(offset);
        expect(left.length > 0).toBe(superseded.some((offset) => really.has(offset)));
      }),
    );
  });
});

/** Parts around a log whose cleaner runs at the nth roll, and what was called. */
function parts(log: CompactedLog, cleansAt: number) {
  const called: string[] = [];
  return {
    called,
    reader: log,
    hurry: async (topics: readonly string[]) => void called.push(`hurry ${topics.join()}`),
    relax: async (topics: readonly string[]) => void called.push(`relax ${topics.join()}`),
    roll: async () => {
      called.push('roll');
      log.roll();
      if (called.filter((call) => call === 'roll').length === cleansAt) log.compact();
    },
  };
}

describe('compaction', () => {
  const { signal } = new AbortController();

  it('is waited for, with hurried settings that are given back', async () => {
    const log = new CompactedLog();
    log.append('a', 'x');
    log.append('b', 'y');
    log.append('a', null);
    const own = parts(log, 2);
    const progress: number[] = [];
    const evidence = await compactPast(own, [{ ...place, keys: new Set(['a']), below: log.end }], {
      signal,
      limitMs: 60_000,
      onProgress: (left) => progress.push(left),
    });
    expect(evidence).toMatchObject({ partitions: 1, superseded: 1, live: 0, rolls: 2 });
    expect(own.called).toEqual(['hurry clean.public.t', 'roll', 'roll', 'relax clean.public.t']);
    expect(progress).toEqual([1, 1, 0]);
    expect(log.records.map(({ key, value }) => [key, value && String(value)])).toEqual([
      ['b', 'y'],
      ['a', null],
    ]);
  });

  it('has nothing to do a second time but to give the settings back', async () => {
    const log = new CompactedLog();
    log.append('a', null);
    const own = parts(log, 1);
    const asked = [{ ...place, keys: new Set(['a']), below: log.end }];
    expect(await compactPast(own, asked, { signal, limitMs: 1 })).toMatchObject({ superseded: 0, rolls: 0 });
    expect(own.called).toEqual(['relax clean.public.t']);
  });

  it('leaves the value of who has come back, and says so', async () => {
    const log = new CompactedLog();
    log.append('a', 'x');
    log.append('a', null);
    log.append('a', 'again');
    const asked = [{ ...place, keys: new Set(['a']), below: log.end }];
    const evidence = await compactPast(parts(log, 1), asked, { signal, limitMs: 60_000 });
    expect(evidence).toMatchObject({ superseded: 1, live: 1 });
    expect(log.records.map(({ value }) => value && String(value))).toEqual(['again']);
  });

  it('is given up after the limit, and when the caller stops; the settings go back', async () => {
    const log = new CompactedLog();
    log.append('a', 'x');
    log.append('a', null);
    const asked = [{ ...place, keys: new Set(['a']), below: log.end }];
    const never = parts(log, 1_000);
    await expect(compactPast(never, asked, { signal, limitMs: 0 })).rejects.toMatchObject({
      code: 'SERVER_FAILED',
    });
    expect(never.called).toEqual(['hurry clean.public.t', 'relax clean.public.t']);
    const stopped = AbortSignal.timeout(50);
    await expect(
      compactPast(parts(log, 1_000), asked, { signal: stopped, limitMs: 60_000 }),
    ).rejects.toThrow();
  });
});
