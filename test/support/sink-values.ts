import type { DatasetColumn } from '../../schemas/dataset.ts';

/** A value as it is compared: text that shares no code with the sinks, null for null. */
export type Canonical = string | null;

/** What readers should find for a value as avsc decodes it. */
export function expected(column: DatasetColumn, value: unknown): Canonical {
  if (value === null || value === undefined) return null;
  switch (column.clean) {
    case 'float':
    case 'double':
      return scalar(value);
    case 'decimal':
      return plainDecimal(value as string);
    case 'date':
      return new Date((value as number) * 86_400_000).toISOString().slice(0, 10);
    case 'time':
      return clock(value as bigint);
    case 'timestamp':
      return timestamp(value as bigint);
    case 'timestamptz':
      return found(column, value);
    case 'bytes':
    case 'ciphertext':
      return (value as Buffer).toString('base64');
    case 'array':
      return items(value as readonly Item[]);
    default:
      return scalar(value);
  }
}

/** What a store gave back, with the notation of the store taken away and nothing else. */
export function found(column: DatasetColumn, value: unknown): Canonical {
  if (value === null || value === undefined) return null;
  switch (column.clean) {
    case 'float':
      return String(Math.fround(Number(value)));
    case 'double':
      return String(Number(value));
    case 'decimal':
      return plainDecimal(value as string);
    case 'timestamp':
    case 'timestamptz': {
      const [seconds, fraction = ''] = (value as string).replace(' ', 'T').replace('Z', '').split('.');
      return `${seconds}.${fraction.padEnd(6, '0')}`;
    }
    case 'array':
      return items(value as readonly Item[]);
    default:
      return scalar(value);
  }
}

type Item = string | number | bigint | null;

function scalar(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      throw new Error(`a ${typeof value} where a scalar was expected`);
  }
}

function items(array: readonly Item[]): string {
  return JSON.stringify(array.map((item) => (item === null ? null : String(item))));
}

/** Without the zeros that carry no value. */
function plainDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function clock(micros: bigint): string {
  const text = new Date(Number(micros / 1_000n)).toISOString().slice(11, 23);
  return micros === 86_400_000_000n
    ? '24:00:00.000000'
    : `${text}${String(micros % 1_000n).padStart(3, '0')}`;
}

function timestamp(micros: bigint): string {
  const below = ((micros % 1_000n) + 1_000n) % 1_000n;
  const text = new Date(Number((micros - below) / 1_000n)).toISOString().slice(0, 23);
  return `${text}${String(below).padStart(3, '0')}`;
}

/** Rows of {@link everyKind} at the edges of what both stores take, as avsc would decode them. */
export const extremeRows: readonly Readonly<Record<string, unknown>>[] = [
  {
    flag: true,
    small: 2_147_483_647,
    big: 9_223_372_036_854_775_807n,
    single: Math.fround(3.4028234663852886e38),
    real: Number.MAX_VALUE,
    price: '9999999999.99',
    exact: '9999999999999999999999999999.9999999999',
    widest: '9'.repeat(76),
    negative_scale: '99900',
    free: `-${'1234567890'.repeat(20)}.${'0987654321'.repeat(20)}`,
    note: 'x'.repeat(1_000_000),
    uid: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    day: 120_529,
    clock: 86_400_000_000n,
    at: 10_413_791_999_999_999n,
    at_zone: '2299-12-31T23:59:59.999999Z',
    doc: `{"a":[1,2,{"b":"${'é'.repeat(50_000)}"}],"n":12345678901234567890.10}`,
    raw: Buffer.from(Array.from({ length: 40_000 }, (_, i) => i & 0xff)),
    tags: ['', 'a"b\\c', null, 'z'.repeat(40_000), '\u{1f642}'],
    smalls: [2_147_483_647, null, -2_147_483_648],
    bigs: [9_223_372_036_854_775_807n, null, -9_223_372_036_854_775_808n],
    secret: Buffer.alloc(40_000, 0xfe),
    alias: 'p_3YxP7zQ0a9',
    'Odd `name': "tab\t newline\n quote' back\\slash \u0001",
    must: 0,
  },
  {
    flag: false,
    small: -2_147_483_648,
    big: -9_223_372_036_854_775_808n,
    single: Math.fround(1.401298464324817e-45),
    real: Number.MIN_VALUE,
    price: '-0.01',
    exact: '-0.0000000001',
    widest: `-${'9'.repeat(76)}`,
    negative_scale: '-100',
    free: '0.1',
    note: '',
    uid: '00000000-0000-0000-0000-000000000000',
    day: -25_567,
    clock: 0n,
    at: -2_208_988_800_000_000n,
    at_zone: '1900-01-01T00:00:00Z',
    doc: 'null',
    raw: Buffer.alloc(0),
    tags: [],
    smalls: [],
    bigs: [],
    secret: Buffer.alloc(1),
    alias: '',
    'Odd `name': 'çğü 漢字 \u{10ffff}',
    must: -1,
  },
  {
    flag: null,
    small: null,
    big: 9_007_199_254_740_993n,
    single: Math.fround(0.1),
    real: 0.1 + 0.2,
    price: '0.10',
    exact: '3.1415926535',
    widest: '9007199254740993',
    negative_scale: '0',
    free: '1e-7',
    note: `${'word '.repeat(20_000)}${'w'.repeat(40_000)}`,
    uid: '01234567-89ab-cdef-0123-456789abcdef',
    day: 11_016,
    clock: 45_296_000_001n,
    at: -1n,
    at_zone: '1969-12-31T23:59:59.5Z',
    doc: null,
    raw: null,
    tags: [null],
    smalls: [0],
    bigs: [9_007_199_254_740_993n],
    secret: null,
    alias: null,
    'Odd `name': null,
    must: 1,
  },
];
