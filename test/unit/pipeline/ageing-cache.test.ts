import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AgeingCache } from '../../../pipeline/ageing-cache.ts';

const limit = 6;
const maxAgeMs = 1_000;

it('gives what was put last, nothing that is too old or forgotten, and never holds more than its limit', () => {
  const step = fc.oneof(
    fc.record({ set: fc.nat(9) }),
    fc.record({ get: fc.nat(9) }),
    fc.record({ wait: fc.nat(700) }),
    fc.record({ forget: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let [nowMs, value] = [0, 0];
      const cache = new AgeingCache<number, { key: number; value: number }>(limit, maxAgeMs, () => nowMs);
      const last = new Map<number, { value: number; atMs: number }>();
      for (const one of steps) {
        cache.age();
        if ('set' in one) {
          cache.set(one.set, { key: one.set, value: ++value });
          last.set(one.set, { value, atMs: nowMs });
        } else if ('get' in one) {
          const found = cache.get(one.get);
          if (!found) continue;
          expect(found.value).toBe(last.get(one.get)?.value);
          expect(nowMs - last.get(one.get)!.atMs).toBeLessThan(maxAgeMs);
        } else if ('wait' in one) nowMs += one.wait;
        else {
          cache.forget(({ key }) => key % 4 === one.forget);
          for (const key of last.keys()) if (key % 4 === one.forget) last.delete(key);
        }
        const held = Array.from({ length: 10 }, (_, key) => cache.get(key)).filter(Boolean);
        expect(held.length).toBeLessThanOrEqual(limit);
      }
    }),
  );
});

it('has what was just put, also when it is full', () => {
  const cache = new AgeingCache<number, number>(2, maxAgeMs, () => 0);
  for (let key = 0; key < 50; key++) {
    cache.set(key, key);
    expect(cache.get(key)).toBe(key);
  }
});
