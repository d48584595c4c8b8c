import type { DatasetColumn } from '../../schemas/dataset.ts';
import { isoTime, parseIsoTimestamp } from '../civil-time.ts';
import { unexpected, unrepresentable } from '../unfit-value.ts';
import type { RowBinary } from './row-binary.ts';
import { scaledInteger } from './decimal.ts';
import { decimalBytes, decimalShape } from './types.ts';

/** Writes a value that is not null, as avsc decodes it. Throws a LetheError that does not quote it. */
export type WriteValue = (out: RowBinary, value: unknown) => void;

/** Date32 and DateTime64 end here; ClickHouse itself would wrap or clip without a word. */
export const firstDay = -25_567; // 1900-01-01
export const lastDay = 120_529; // 2299-12-31
const firstMicros = BigInt(firstDay) * 86_400_000_000n;
const lastMicros = BigInt(lastDay + 1) * 86_400_000_000n - 1n;

const writers: Readonly<Record<DatasetColumn['clean'], (column: DatasetColumn) => WriteValue>> = {
  boolean: (column) => (out, value) => {
    if (typeof value !== 'boolean') throw unexpected(column, 'boolean');
    out.byte(value ? 1 : 0);
  },
  int: (column) => (out, value) => int(column, out, value),
  long: (column) => (out, value) => long(column, out, value),
  float: (column) => (out, value) => {
    if (typeof value !== 'number') throw unexpected(column, 'number');
    out.float32(value);
  },
  double: (column) => (out, value) => {
    if (typeof value !== 'number') throw unexpected(column, 'number');
    out.float64(value);
  },
  decimal,
  text,
  inet: text,
  json: text,
  pseudonym: text,
  uuid,
  date: (column) => (out, value) => {
    if (typeof value !== 'number') throw unexpected(column, 'day number');
    writeDay(column, out, value);
  },
  time: (column) => (out, value) => {
    if (typeof value !== 'bigint') throw unexpected(column, 'time of day');
    out.string(isoTime(Number(value)));
  },
  timestamp: (column) => (out, value) => {
    if (typeof value !== 'bigint') throw unexpected(column, 'timestamp');
    writeMicros(column, out, value);
  },
  timestamptz: (column) => (out, value) => {
    const micros = typeof value === 'string' ? parseIsoTimestamp(value) : undefined;
    if (micros === undefined) throw unexpected(column, 'timestamp in UTC');
    writeMicros(column, out, micros);
  },
  bytes,
  ciphertext: bytes,
  array: (column) => {
    const element = elements[column.element ?? 'text'];
    return (out, value) => {
      if (!Array.isArray(value)) throw unexpected(column, 'array');
      out.varint(value.length);
      for (const item of value) {
        out.byte(item === null ? 1 : 0);
        if (item !== null) element(column, out, item);
      }
    };
  },
};

const elements = { text: string, int, long } as const;

/** The writer of a column, chosen once per dataset. */
export function writeValue(column: DatasetColumn): WriteValue {
  return writers[column.clean](column);
}

export function writeDay(column: DatasetColumn, out: RowBinary, days: number): void {
  if (days < firstDay || days > lastDay) throw unrepresentable(column, 'a date before 1900 or after 2299');
  out.int32(days);
}

export function writeMicros(column: DatasetColumn, out: RowBinary, micros: bigint): void {
  if (micros < firstMicros || micros > lastMicros) {
    throw unrepresentable(column, 'a timestamp before 1900 or after 2299');
  }
  out.int64(micros);
}

function text(column: DatasetColumn): WriteValue {
  return (out, value) => string(column, out, value);
}

function string(column: DatasetColumn, out: RowBinary, value: unknown): void {
  if (typeof value !== 'string') throw unexpected(column, 'text');
  out.string(value);
}

function int(column: DatasetColumn, out: RowBinary, value: unknown): void {
  if (typeof value !== 'number' || value !== (value | 0)) throw unexpected(column, '32-bit integer');
  out.int32(value);
}

function long(column: DatasetColumn, out: RowBinary, value: unknown): void {
  if (typeof value !== 'bigint' || value !== BigInt.asIntN(64, value)) {
    throw unexpected(column, '64-bit integer');
  }
  out.int64(value);
}

function decimal(column: DatasetColumn): WriteValue {
  const shape = decimalShape(column);
  if (!shape) return text(column);
  const size = decimalBytes(shape.precision);
  return (out, value) => {
    if (typeof value !== 'string') throw unexpected(column, 'decimal');
    const scaled = scaledInteger(value, shape.precision, shape.scale);
    if (scaled === undefined) throw unrepresentable(column, 'no number of the column’s precision and scale');
    out.integer(scaled, size);
  };
}

function uuid(column: DatasetColumn): WriteValue {
  return (out, value) => {
    if (typeof value !== 'string' || !out.uuid(value)) throw unexpected(column, 'uuid');
  };
}

function bytes(column: DatasetColumn): WriteValue {
  return (out, value) => {
    if (!Buffer.isBuffer(value)) throw unexpected(column, 'bytes');
    out.string(value.toString('base64'));
  };
}
