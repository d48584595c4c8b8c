import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RangeDigests, rangeOf } from '../../../verify/range-digests.ts';

const ranges = 8;
const rows = fc.uniqueArray(
  fc.tuple(fc.string({ minLength: 1 }), fc.uint8Array({ minLength: 1, maxLength: 48 })),
  {
    selector: ([key]) => key,
    minLength: 1,
    maxLength: 40,
  },
);
type Row = [string, Uint8Array];

function digested(all: readonly Row[]): RangeDigests {
  const digests = new RangeDigests(ranges);
  for (const [key, values] of all) digests.add(key, Buffer.from(values));
  return digests;
}

it('digests of ranges are the same in whatever order the rows come', () => {
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.nat()), (all, random) => {
      const shuffled = all
        .map((row) => [random.next().value, row] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, row]) => row);
      expect(digested(all).unlike(digested(shuffled))).toEqual([]);
      expect(digested(all).rows).toBe(all.length);
    }),
  );
});

it('a row that is changed, gone, more, or there twice is seen in its range and in no other', () => {
  fc.assert(
    fc.property(rows, fc.nat(), fc.constantFrom('changed', 'gone', 'twice', 'thrice'), (all, at, what) => {
      const i = at % all.length;
      const [key, values] = all[i]!;
      const other: Record<typeof what, Row[]> = {
        changed: all.with(i, [key, Uint8Array.of(...values, 1)]),
        gone: all.toSpliced(i, 1),
        twice: [...all, all[i]!],
        // XOR alone would not see it.
        thrice: [...all, all[i]!, all[i]!],
      };
      expect(digested(all).unlike(digested(other[what]))).toEqual([rangeOf(key, ranges)]);
      expect(digested(other[what]).unlike(digested(all))).toEqual([rangeOf(key, ranges)]);
    }),
  );
});

it('keys are spread over all ranges, the same whoever asks', () => {
  const counts = new Map<number, number>();
  for (let i = 0; i < 8_000; i++) {
    const range = rangeOf(String(i), ranges);
    counts.set(range, (counts.get(range) ?? 0) + 1);
    expect(rangeOf(String(i), ranges)).toBe(range);
  }
  expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200);
});
