import { createHash } from 'node:crypto';

/**
 * The canonical key of a clean record: the key columns' canonical texts in key order, joined by `|`; within a
 * part `%`, `|` and control characters are written as %HH and an empty part as `%00` (NUL cannot occur in
 * Postgres text). Injective, and the same bytes in Kafka, Elasticsearch and ClickHouse. No schema id: a new
 * id would move the key to another partition and escape compaction.
 *
 * Canonical text: integers and decimals as Postgres prints them, uuid in lower case, date as ISO 8601, text as it is,
 * a pseudonym as its own text.
 */
export function encodeRecordKey(parts: readonly string[]): string {
  if (parts.length === 1) return escapePart(parts[0]!);
  return parts.map(escapePart).join('|');
}

/** The inverse of {@link encodeRecordKey}: as many texts as the key has columns. */
export function decodeRecordKey(key: string): string[] {
  return key
    .split('|')
    .map((part) => (part === '%00' ? '' : part.replace(escaped, (h) => decodeURIComponent(h))));
}

/** A document id: the key itself, or a digest where Elasticsearch's limit of 512 bytes is passed. */
export function documentId(key: string): string {
  if (key.length <= 128 || Buffer.byteLength(key) <= 512) return key;
  return `%sha256:${createHash('sha256').update(key).digest('hex')}`;
}

// oxlint-disable-next-line no-control-regex -- control characters are what is escaped here
const special = /[%|\u0000-\u001f\u007f]/g;
const escaped = /%[0-9A-F]{2}/g;

function escapePart(part: string): string {
  if (part === '') return '%00';
  return part.replace(special, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
