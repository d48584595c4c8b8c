import { describe, expect, it } from 'vitest';
import { sees } from '../../../connectors/postgres/value-reader.ts';

describe('a snapshot', () => {
  it.each([
    ['an older transaction', '100:110:105,107', 99n, true],
    ['one that ended within it', '100:110:105,107', 106n, true],
    ['one still running', '100:110:105,107', 105n, false],
    ['one that began after it', '100:110:105', 110n, false],
    ['one when none runs', '100:100:', 99n, true],
    // 64-bit ids: the event has the lowest 32 bits alone.
    ['one of a later epoch', '4294967400:4294967410:4294967405', 104n, true],
    ['the running one itself', '4294967400:4294967410:4294967405', 4294967405n & 0xffffffffn, false],
    ['one before the epoch turned', '4294967290:4294967300:', 4294967295n, true],
  ])('is told to see or not to see %s', (_what, snapshot, txId, expected) => {
    expect(sees(snapshot, txId)).toBe(expected);
  });
});
