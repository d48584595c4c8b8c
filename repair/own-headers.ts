import { createHash } from 'node:crypto';
import type { Dataset } from '../schemas/dataset.ts';
import { header } from '../schemas/record-headers.ts';

/** Headers of a clean record that no change at the source asks for; `version` as text, `nowMs` since the epoch. */
export function ownHeaders(
  { table, digest }: Pick<Dataset, 'table' | 'digest'>,
  op: 'd' | 'r',
  key: string,
  version: string,
  nowMs: number,
): Record<string, string> {
  return {
    [header.version]: version,
    [header.eventId]: ownEventId(table, key, version),
    [header.traceId]: idOf(`${table} ${nowMs}`),
    [header.op]: op,
    [header.commitMs]: String(nowMs),
    [header.contract]: digest,
  };
}

/** The event id of such a record. */
export function ownEventId(table: string, key: string, version: string): string {
  return idOf(`${table} ${key} ${version}`);
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
