import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isoDate,
  isoTime,
  isoTimestamp,
  parseIsoDate,
  parseIsoTimestamp,
} from '../../../sinks/civil-time.ts';

/** JavaScript's own calendar as the oracle; it ends at these days. */
const lastDateDay = 100_000_000;

describe('civil time', () => {
  it('writes every date as the calendar has it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -lastDateDay, max: lastDateDay }), (days) => {
        expect(isoDate(days)).toBe(new Date(days * 86_400_000).toISOString().slice(0, -14));
      }),
    );
  });

  it('reads back every 32-bit day it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (days) => {
        expect(parseIsoDate(isoDate(days))).toBe(days);
      }),
    );
  });

  it('reads back every 64-bit microsecond it writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (micros) => {
        expect(parseIsoTimestamp(isoTimestamp(micros))).toBe(micros);
        expect(parseIsoTimestamp(`${isoTimestamp(micros)}Z`)).toBe(micros);
      }),
    );
  });

  it('writes microseconds where JavaScript has milliseconds only', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
        fc.integer({ min: 0, max: 999 }),
        (n, below) => {
          const ms = n % 8_640_000_000_000_000n;
          const text = new Date(Number(ms)).toISOString().slice(0, -1);
          expect(isoTimestamp(ms * 1_000n + BigInt(below))).toBe(`${text}${String(below).padStart(3, '0')}`);
        },
      ),
    );
  });

  it.each([
    [0, '1970-01-01'],
    [11_016, '2000-02-29'],
    [-719_528, '0000-01-01'],
    [-719_529, '-000001-12-31'],
    [2_932_896, '9999-12-31'],
    [2_932_897, '+010000-01-01'],
  ])('day %i is %s', (days, text) => {
    expect(isoDate(days)).toBe(text);
    expect(parseIsoDate(text)).toBe(days);
  });

  it.each([
    [0, '00:00:00.000000'],
    [1, '00:00:00.000001'],
    [86_399_999_999, '23:59:59.999999'],
    [86_400_000_000, '24:00:00.000000'],
  ])('%i microseconds of a day are %s', (micros, text) => {
    expect(isoTime(micros)).toBe(text);
  });

  it.each([
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-13-01',
    '2024-00-10',
    '2024-1-1',
    '24-01-01',
    'infinity',
    '',
  ])('takes no date %j', (text) => {
    expect(parseIsoDate(text)).toBeUndefined();
  });

  it.each([
    '2024-02-30T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:00.1234567Z',
    '2024-01-01T00:00:00+02:00',
    '2024-01-01 00:00:00',
    'infinity',
  ])('takes no timestamp %j, for it would be guessed', (text) => {
    expect(parseIsoTimestamp(text)).toBeUndefined();
  });

  it('takes fractions of any length up to six digits', () => {
    expect(parseIsoTimestamp('1970-01-01T00:00:00.5Z')).toBe(500_000n);
    expect(parseIsoTimestamp('1970-01-01T00:00:00.000007')).toBe(7n);
    expect(parseIsoTimestamp('1969-12-31T23:59:59Z')).toBe(-1_000_000n);
  });
});
