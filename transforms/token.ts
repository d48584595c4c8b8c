import { aessiv } from '@noble/ciphers/aes.js';

/**
 * Deterministic tokens: base64url without padding of AES-SIV (RFC 5297, AES-256: a key of 64 bytes) over a text, with no
 * associated data, since the key itself is bound to column or domain. Equal texts have equal tokens, and whoever has the key opens them.
 */
export function compileToken(key: Buffer): (text: string) => string {
  // One object for each text: the library lets none be used twice.
  return (text) => Buffer.from(aessiv(key).encrypt(Buffer.from(text))).toString('base64url');
}
