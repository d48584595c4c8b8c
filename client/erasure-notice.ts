import { createHmac } from 'node:crypto';

/** A notice of an erasure, as it stands in the topic of notices. */
export interface ErasureNotice {
  readonly format: string;
  readonly request: string;
  readonly recipient: string;
  readonly part: number;
  readonly parts: number;
  readonly salt: string;
  readonly tables: readonly { readonly table: string; readonly keys: readonly string[] }[];
}

/**
 * Which of these keys of a table's records are to be erased: keys as the clean topic has them, and Elasticsearch as `_id` up to 512 bytes.
 * A notice has no key in it, so whoever is told compares all those that he holds. Throws for a notice of another format.
 */
export function keysToErase(notice: ErasureNotice, table: string, keys: Iterable<string>): string[] {
  if (notice.format !== 'lethe/erasure-notice/v1') throw new Error('a notice of an unknown format');
  const asked = new Set(notice.tables.find((one) => one.table === table)?.keys);
  const salt = Buffer.from(notice.salt, 'hex');
  return [...keys].filter((key) =>
    asked.has(createHmac('sha256', salt).update(`${table}\n${key}`).digest('hex')),
  );
}
