import { createHmac, hkdfSync } from 'node:crypto';

/** What stands in place of what a mask hides; always four, so that no length is told. */
const hidden = '****';

/** Keeps the first and last code points; a value that would be shown whole is hidden whole. */
export function maskOf(text: string, keepStart: number, keepEnd: number): string {
  const points = Array.from(text);
  if (points.length <= keepStart + keepEnd) return hidden;
  const start = points.slice(0, keepStart).join('');
  return start + hidden + points.slice(points.length - keepEnd).join('');
}

/** The key of a column's pseudonyms: columns of one domain share it, else it is bound to table and column. */
export function pseudonymKeyOf(
  pseudonymKey: Buffer,
  table: string,
  column: string,
  domain: string | undefined,
): Buffer {
  const scope = domain === undefined ? `column/${table}/${column}` : `domain/${domain}`;
  return hkdf(pseudonymKey, `lethe/pseudonym/v1/${scope}`);
}

/** HMAC-SHA-256 over the canonical text in base64url: 43 characters. */
export function pseudonymOf(columnKey: Buffer, canonicalText: string): string {
  return createHmac('sha256', columnKey).update(canonicalText, 'utf8').digest('base64url');
}

export function hkdf(key: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), info, 32));
}
