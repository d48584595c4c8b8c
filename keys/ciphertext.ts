import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import type { KeyUse } from '../schemas/key-use.ts';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';

const keyIdBytes = 16;

/**
 * Self-describing ciphertext, format 2:
 * [0x02][16 key id][4 generation BE][12 nonce][ciphertext][16 tag], AES-256-GCM (NIST SP 800-38D) under a subkey.
 * Associated data binds it to its place and its key, see {@link associatedData}.
 */
export const ciphertextFormat = 2;
export const ciphertextOverhead = 1 + keyIdBytes + 4 + 12 + 16;

/**
 * What binds a ciphertext to its place, with room at its end for the id of its key: moved to another dataset or column, or said to be
 * under another key, it does not open. A person's own id is not in it: with another one, the person's data stays readable.
 */
export function associatedData(dataset: string, column: string): Buffer {
  return lengthPrefixed('lethe/value/v2', dataset, column, Buffer.alloc(keyIdBytes));
}

/** The {@link associatedData} of a value under this key, in its own place. */
function bind(place: Buffer, keyId: Buffer): Buffer {
  const at = place.length - keyIdBytes;
  for (let i = 0; i < keyIdBytes; i++) place[at + i] = keyId[i]!;
  return place;
}

interface Key {
  readonly keyId: Buffer;
  readonly generation: number;
  subkey(use: KeyUse): Buffer;
}

/** Writes the ciphertext of `plaintext` into `out` at `at`, which must have room; returns the end. `place`: {@link associatedData}. */
export function encryptInto(
  out: Buffer,
  at: number,
  key: Key,
  use: KeyUse,
  place: Buffer,
  plaintext: Buffer,
): number {
  const nonce = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', key.subkey(use), nonce);
  cipher.setAAD(bind(place, key.keyId));
  const body = cipher.update(plaintext);
  cipher.final();
  out[at] = ciphertextFormat;
  put(out, at + 1, key.keyId);
  out.writeUInt32BE(key.generation, at + 17);
  put(out, at + 21, nonce);
  put(out, at + 33, body);
  const end = at + 33 + body.length;
  put(out, end, cipher.getAuthTag());
  return end + 16;
}

/** A loop beats the call into C++ for bytes as few as most values have. */
function put(out: Buffer, at: number, bytes: Buffer): void {
  const n = bytes.length;
  if (n < 256) for (let i = 0; i < n; i++) out[at + i] = bytes[i]!;
  else bytes.copy(out, at);
}

export function encrypt(key: Key, use: KeyUse, place: Buffer, plaintext: Buffer): Buffer {
  const out = Buffer.allocUnsafe(plaintext.length + ciphertextOverhead);
  encryptInto(out, 0, key, use, place, plaintext);
  return out;
}

/** With which the base64 of every ciphertext under this key begins, whatever its generation: 24 characters, as there are no 2^24 of them. */
export function ciphertextPrefix(keyId: Buffer): string {
  return Buffer.concat([Buffer.from([ciphertextFormat]), keyId, Buffer.alloc(1)]).toString('base64');
}

/** Key id and generation that a ciphertext names; undefined if it is not of a known format. */
export function describeCiphertext(data: Buffer): { keyId: Buffer; generation: number } | undefined {
  if (data.length < ciphertextOverhead || data[0] !== ciphertextFormat) return undefined;
  return { keyId: data.subarray(1, 17), generation: data.readUInt32BE(17) };
}

/** The plaintext, or undefined if key, use, place or bytes are not those it was made with. */
export function decrypt(key: Key, use: KeyUse, place: Buffer, data: Buffer): Buffer | undefined {
  if (!describeCiphertext(data)) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key.subkey(use), data.subarray(21, 33));
  decipher.setAAD(bind(place, data.subarray(1, 17)));
  decipher.setAuthTag(data.subarray(data.length - 16));
  const body = decipher.update(data.subarray(33, data.length - 16));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return body;
}

/**
 * Nonces come from the system's CSPRNG through a pool: one call per 4,096 nonces, each used once. A subkey of one person, table and
 * classification stays far below the 2^32 messages that SP 800-38D allows under random nonces: one a second for 136 years. Keys that are
 * nobody's own are counted: see reserve-encryptions.ts.
 */
const pool = Buffer.allocUnsafeSlow(12 * 4096);
let poolAt = pool.length;
/** The nonce of the ciphertext that is being made: node:crypto takes a copy. */
const current = Buffer.alloc(12);

/** The next nonce, valid until the next call. */
function nextNonce(): Buffer {
  if (poolAt >= pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  for (let i = 0; i < 12; i++) current[i] = pool[poolAt + i]!;
  poolAt += 12;
  return current;
}
