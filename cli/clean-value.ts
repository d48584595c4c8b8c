import type { DatasetColumn } from '../schemas/dataset.ts';
import { toJson } from '../sinks/elasticsearch/values.ts';

/** A value of a clean record, as avsc decodes it, as JSON text that a person can read: days and microseconds in ISO 8601, ciphertext by its size. */
export function cleanValue(column: DatasetColumn, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (column.clean === 'ciphertext') return JSON.stringify(`encrypted (${(value as Buffer).length} bytes)`);
  if (column.clean === 'float' || column.clean === 'double') return real(column.clean, value as number);
  if (column.clean === 'timestamp' && infinities.has(value as bigint)) {
    return JSON.stringify(infinities.get(value as bigint));
  }
  return toJson(column)(value);
}

/** The numbers that Debezium writes for infinity in a timestamp of microseconds. */
const infinities: ReadonlyMap<bigint, string> = new Map([
  [2n ** 63n - 1n, 'infinity'],
  [-(2n ** 63n), '-infinity'],
]);

/** NaN and infinity have no number in JSON; of a float4 the shortest digits that are it, as Postgres prints it. */
function real(kind: 'float' | 'double', value: number): string {
  if (!Number.isFinite(value)) return JSON.stringify(String(value));
  if (kind === 'double') return String(value);
  const short = [6, 7, 8].map((digits) => Number(value.toPrecision(digits)));
  return String(short.find((candidate) => Math.fround(candidate) === value) ?? value);
}
