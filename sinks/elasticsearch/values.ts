import type { DatasetColumn } from '../../schemas/dataset.ts';
import { isoDate, isoTime, isoTimestamp } from '../civil-time.ts';
import { unexpected, unrepresentable } from '../unfit-value.ts';

/** A value that is not null, as avsc decodes it, to JSON text. Throws a LetheError that does not quote it. */
export type ToJson = (value: unknown) => string;

/**
 * JSON text for each kind. Numbers are written here and not by JSON.stringify, so that a 64-bit integer keeps
 * every digit; decimals are JSON strings, exactly as they came.
 */
const writers: Readonly<Record<DatasetColumn['clean'], (column: DatasetColumn) => ToJson>> = {
  boolean: (column) => (value) => {
    if (typeof value !== 'boolean') throw unexpected(column, 'boolean');
    return value ? 'true' : 'false';
  },
  int: (column) => (value) => int(column, value),
  long: (column) => (value) => long(column, value),
  float: (column) => (value) => float(column, value),
  double: (column) => (value) => float(column, value),
  decimal: text,
  text,
  uuid: text,
  inet: text,
  json: text,
  timestamptz: text,
  pseudonym: text,
  date: (column) => (value) => {
    if (typeof value !== 'number') throw unexpected(column, 'day number');
    return `"${isoDate(value)}"`;
  },
  time: (column) => (value) => {
    if (typeof value !== 'bigint') throw unexpected(column, 'time of day');
    return `"${isoTime(Number(value))}"`;
  },
  timestamp: (column) => (value) => {
    if (typeof value !== 'bigint') throw unexpected(column, 'timestamp');
    return `"${isoTimestamp(value)}"`;
  },
  bytes,
  ciphertext: bytes,
  array: (column) => {
    const element = elements[column.element ?? 'text'];
    return (value) => {
      if (!Array.isArray(value)) throw unexpected(column, 'array');
      return `[${value.map((item) => (item === null ? 'null' : element(column, item))).join(',')}]`;
    };
  },
};

const elements = { text: quoted, int, long } as const;

/** The writer of a column, chosen once per dataset. */
export function toJson(column: DatasetColumn): ToJson {
  return writers[column.clean](column);
}

function text(column: DatasetColumn): ToJson {
  return (value) => quoted(column, value);
}

function quoted(column: DatasetColumn, value: unknown): string {
  if (typeof value !== 'string') throw unexpected(column, 'text');
  return JSON.stringify(value);
}

function int(column: DatasetColumn, value: unknown): string {
  if (typeof value !== 'number') throw unexpected(column, 'integer');
  return String(value);
}

function long(column: DatasetColumn, value: unknown): string {
  if (typeof value !== 'bigint') throw unexpected(column, '64-bit integer');
  return String(value);
}

function float(column: DatasetColumn, value: unknown): string {
  if (typeof value !== 'number') throw unexpected(column, 'number');
  if (!Number.isFinite(value)) throw unrepresentable(column, 'NaN and infinity are no JSON numbers');
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function bytes(column: DatasetColumn): ToJson {
  return (value) => {
    if (!Buffer.isBuffer(value)) throw unexpected(column, 'bytes');
    return `"${value.toString('base64')}"`;
  };
}
