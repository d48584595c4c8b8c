import { createHash } from 'node:crypto';

/**
 * A row's key: the key columns' canonical texts joined by `|`. Within a part `%`, `|` and control characters stand
 * as %HH in upper case; an empty part is `%00`.
 */
export function recordKeyOf(parts: readonly string[]): string {
  return parts.map(escapePart).join('|');
}

function escapePart(part: string): string {
  if (part === '') return '%00';
  let out = '';
  for (const c of part) {
    const code = c.charCodeAt(0);
    const special = c === '%' || c === '|' || code < 0x20 || code === 0x7f;
    out += special ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : c;
  }
  return out;
}

/** The id of a key's document: the key, or its digest beyond the 512 bytes that Elasticsearch takes. */
export function documentIdOf(key: string): string {
  if (Buffer.byteLength(key) <= 512) return key;
  return `%sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** A short name for a row in reports: a digest, because the key itself may say who it is. */
export function keyDigest(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12);
}
