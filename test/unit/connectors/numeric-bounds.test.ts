import { expect, test } from 'vitest';
import { numericBounds } from '../../../connectors/postgres/catalog.ts';

/** As Postgres packs them: precision in the upper half, scale in 11 bits with sign. */
const typmod = (precision: number, scale: number): number => ((precision << 16) | (scale & 0x7ff)) + 4;

test.each([
  [10, 2, { precision: 10, scale: 2 }],
  [1000, 0, { precision: 1000, scale: 0 }],
  [5, -2, { precision: 7, scale: 0 }],
  [3, 5, { precision: 5, scale: 5 }],
])('numeric(%i,%i) within bounds that every decimal type has', (precision, scale, expected) => {
  expect(numericBounds(typmod(precision, scale))).toEqual(expected);
});

test('numeric without a modifier has no bounds', () => {
  expect(numericBounds(-1)).toEqual({});
});
