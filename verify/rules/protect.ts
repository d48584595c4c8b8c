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

/** The purpose in a key's name, and the key's length in bytes. */
const purposes = {
  hash: ['pseudonym', 32],
  tokenise: ['token', 64],
  'format-preserving': ['format', 32],
} as const;

/** The key of a column's pseudonyms, tokens or formats: columns of one domain share it, else it is bound to table and place. */
export function columnKeyOf(
  secret: Buffer,
  action: keyof typeof purposes,
  table: string,
  place: string,
  domain: string | undefined,
): Buffer {
  const scope = domain === undefined ? `column/${table}/${place}` : `domain/${domain}`;
  const [purpose, bytes] = purposes[action];
  return hkdf(secret, `lethe/${purpose}/v1/${scope}`, bytes);
}

/** HMAC-SHA-256 over the canonical text in base64url: 43 characters. */
export function pseudonymOf(columnKey: Buffer, canonicalText: string): string {
  return createHmac('sha256', columnKey).update(canonicalText, 'utf8').digest('base64url');
}

export function hkdf(key: Buffer, info: string, bytes = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), info, bytes));
}
