import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaledInteger } from '../../../sinks/clickhouse/decimal.ts';
import { RowBinary } from '../../../sinks/clickhouse/row-binary.ts';
import { compileRows } from '../../../sinks/clickhouse/rows.ts';
import { parseNames, quote } from '../../../sinks/clickhouse/sql.ts';
import { columnType } from '../../../sinks/clickhouse/types.ts';
import { at, change, everyKind, testDataset } from '../../support/sink-datasets.ts';

describe('clickhouse rows', () => {
  it('have one type for each kind of value', () => {
    const dataset = everyKind('public.t');
    expect(
      Object.fromEntries(dataset.columns.map((column) => [column.name, columnType(column).sql])),
    ).toEqual({
      id: 'Int64',
      flag: 'Nullable(Bool)',
      small: 'Nullable(Int32)',
      big: 'Nullable(Int64)',
      single: 'Nullable(Float32)',
      real: 'Nullable(Float64)',
      price: 'Nullable(Decimal(12, 2))',
      exact: 'Nullable(Decimal(38, 10))',
      widest: 'Nullable(Decimal(76, 0))',
      negative_scale: 'Nullable(Decimal(5, 0))',
      free: 'Nullable(String)',
      note: 'Nullable(String)',
      uid: 'Nullable(UUID)',
      day: 'Nullable(Date32)',
      clock: 'Nullable(String)',
      at: "Nullable(DateTime64(6, 'UTC'))",
      at_zone: "Nullable(DateTime64(6, 'UTC'))",
      doc: 'Nullable(String)',
      raw: 'Nullable(String)',
      tags: 'Array(Nullable(String))',
      smalls: 'Array(Nullable(Int32))',
      bigs: 'Array(Nullable(Int64))',
      secret: 'Nullable(String)',
      alias: 'Nullable(String)',
      'Odd `name': 'Nullable(String)',
      must: 'Int32',
    });
  });

  it('have a Decimal only where one is wide enough, and a key that is never Nullable', () => {
    const shapes = [
      [76, 76],
      [77, 0],
      [2, 5],
      [74, -3],
    ] as const;
    const dataset = testDataset(
      'public.t',
      ['k'],
      [
        { name: 'k', type: 'text', nullable: true },
        ...shapes.map(([precision, scale]) => ({ name: `n${precision}`, type: 'numeric', precision, scale })),
      ],
    );
    expect(dataset.columns.map((column) => columnType(column).sql)).toEqual([
      'String',
      'Nullable(Decimal(76, 76))',
      'Nullable(String)',
      'Nullable(Decimal(5, 5))',
      'Nullable(String)',
    ]);
  });

  it('hold a decimal’s every digit', () => {
    const digits = fc.bigInt({ min: -(10n ** 76n) + 1n, max: 10n ** 76n - 1n });
    fc.assert(
      fc.property(digits, fc.integer({ min: 0, max: 76 }), (value, scale) => {
        const text = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
        const [whole, fraction] = [text.slice(0, text.length - scale), text.slice(text.length - scale)];
        const plain = `${value < 0n ? '-' : ''}${whole}${scale > 0 ? `.${fraction}` : ''}`;
        expect(scaledInteger(plain, 76, scale)).toBe(value);
        expect(scaledInteger(`${value}e-${scale}`, 76, scale)).toBe(value);
        expect(scaledInteger(`${value}E-${scale + 1}`, 76, scale)).toBe(
          value % 10n === 0n ? value / 10n : undefined,
        );
      }),
    );
  });

  it.each([
    'NaN',
    'NAN',
    'Infinity',
    'POSITIVE_INFINITY',
    '',
    '1,5',
    '.5',
    '1e99999',
    '1000',
    '0.001',
    '-1000',
  ])('take %j for no Decimal(5, 2)', (text) => {
    expect(scaledInteger(text, 5, 2)).toBeUndefined();
  });

  it('hold integers of 256 bits and uuids in the server’s byte order', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n }), fc.uuid(), (value, uuid) => {
        const out = new RowBinary(1);
        out.integer(value, 32);
        expect(out.uuid(uuid)).toBe(true);
        const bytes = out.bytes();
        const words = [0, 8, 16, 24].map((offset) => bytes.readBigUInt64LE(offset));
        const read = words.reduceRight((sum, word) => (sum << 64n) | word, 0n);
        expect(BigInt.asIntN(256, read)).toBe(value);
        const halves = [bytes.readBigUInt64LE(32), bytes.readBigUInt64LE(40)];
        expect(halves.map((half) => half.toString(16).padStart(16, '0')).join('')).toBe(
          uuid.replaceAll('-', ''),
        );
      }),
    );
  });

  it.each([
    '',
    '01234567-89ab-cdef-0123-456789abcde',
    '01234567x89ab-cdef-0123-456789abcdef',
    `${'g'.repeat(8)}-89ab-cdef-0123-456789abcdef`,
  ])('take %j for no uuid and write nothing of it', (text) => {
    const out = new RowBinary(64);
    expect(out.uuid(text)).toBe(false);
    expect(out.length).toBe(0);
  });

  it('hold texts of every length behind their length in bytes', () => {
    // The length prefix grows at 128 and 16,384 bytes; a character has one to four bytes.
    const character = fc.constantFrom('a', '\u0000', 'é', '漢', '\u{1f642}');
    const length = fc.oneof(fc.integer({ min: 0, max: 130 }), fc.integer({ min: 4_000, max: 17_000 }));
    const text = fc.tuple(character, length, character).map(([c, n, last]) => c.repeat(n) + last);
    fc.assert(
      fc.property(text, (value) => {
        const out = new RowBinary(8);
        out.string(value);
        const bytes = out.bytes();
        let [length, shift, at] = [0, 0, 0];
        do {
          length |= (bytes[at]! & 0x7f) << shift;
          shift += 7;
        } while (bytes[at++]! >= 0x80);
        expect(bytes.subarray(at)).toHaveLength(length);
        expect(bytes.subarray(at).toString('utf8')).toBe(value);
      }),
    );
  });

  it('write a key column from the key alone, the same for a row and for its delete', () => {
    const dataset = testDataset(
      'public.t',
      ['b', 'a', 'd'],
      [
        { name: 'a', type: 'int8' },
        { name: 'x', type: 'text' },
        { name: 'b', type: 'text' },
        { name: 'd', type: 'date' },
      ],
    );
    const format = compileRows(dataset);
    expect(format.columns.slice(0, 4)).toEqual(['a', 'x', 'b', 'd']);
    const bytesOf = (row: Record<string, unknown> | null): Buffer => {
      const out = new RowBinary(64);
      format.write(out, change(dataset, ['p|q', '-9007199254740993', '2024-02-29'], at(1), row));
      return out.bytes();
    };
    const [live, gone] = [bytesOf({ x: null }), bytesOf(null)];
    const key = Buffer.concat([
      Buffer.from(new BigInt64Array([-9_007_199_254_740_993n]).buffer),
      Buffer.from([1]),
      Buffer.from('\u0003p|q'),
      Buffer.from(new Int32Array([19_782]).buffer),
    ]);
    expect(live.subarray(0, key.length)).toEqual(key);
    expect(gone.subarray(0, key.length)).toEqual(key);
  });

  it.each([['1'], ['1', '2', '3'], ['x', '2'], ['1', '2024-02-30']])('take no key %j', (...key) => {
    const dataset = testDataset(
      'public.t',
      ['a', 'd'],
      [
        { name: 'a', type: 'int4' },
        { name: 'd', type: 'date' },
      ],
    );
    const write = (): void =>
      compileRows(dataset).write(new RowBinary(64), change(dataset, key, at(1), null));
    expect(write).toThrow(expect.objectContaining({ name: 'LetheError' }));
  });

  it('quote names so that the server reads them back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (names) => {
        expect(parseNames(names.map(quote).join(', '))).toEqual(names);
      }),
    );
    expect(parseNames('(id)')).toEqual(['id']);
    expect(parseNames('tenant, nr')).toEqual(['tenant', 'nr']);
  });
});
