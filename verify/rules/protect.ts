import { createHmac } from 'node:crypto';

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

/** A rule that makes equal values equal, with a key. */
export interface KeyedRule {
  readonly action: keyof typeof purposes;
  readonly domain?: string | undefined;
  readonly alphabet?: string;
}

/** The key of a column's pseudonyms, tokens or formats: columns of one domain share it, else it is bound to table and place. */
export function keyedSubkey(root: Buffer, table: string, place: string, rule: KeyedRule): Buffer {
  const [purpose, bytes] = purposes[rule.action];
  const scope = rule.domain === undefined ? ['column', table, place] : ['domain', rule.domain];
  const alphabet = rule.action === 'format-preserving' ? [rule.alphabet!] : [];
  return subkeyOf(root, bytes, purpose, ...scope, ...alphabet);
}

/** HKDF-Expand of RFC 5869 with SHA-256, its info the parts each behind its length in four bytes. */
export function subkeyOf(root: Buffer, bytes: number, ...use: readonly string[]): Buffer {
  const info = prefixed('lethe/subkey/v2', ...use);
  let made = Buffer.alloc(0);
  let block = Buffer.alloc(0);
  for (let i = 1; made.length < bytes; i++) {
    block = createHmac('sha256', root)
      .update(Buffer.concat([block, info, Buffer.from([i])]))
      .digest();
    made = Buffer.concat([made, block]);
  }
  return made.subarray(0, bytes);
}

/** Each part behind its length: four bytes, the high one first. */
export function prefixed(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** HMAC-SHA-256 over the canonical text in base64url: 43 characters. */
export function pseudonymOf(columnKey: Buffer, canonicalText: string): string {
  return createHmac('sha256', columnKey).update(canonicalText, 'utf8').digest('base64url');
}
