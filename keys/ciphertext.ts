import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto';

/**
 * Self-describing ciphertext, format 1:
 * [0x01][16 key id][4 generation BE][12 nonce][ciphertext][16 tag], AES-256-GCM (NIST SP 800-38D).
 * Associated data binds it to its place, see {@link associatedData}.
 */
export const ciphertextFormat = 1;
export const ciphertextOverhead = 1 + 16 + 4 + 12 + 16;

/** `lethe/v1\n<table>\n<column>\n<subject type>\n<subject id>` in UTF-8: a ciphertext moved elsewhere does not open. */
export function associatedData(
  table: string,
  column: string,
  subjectType: string,
  subjectId: string,
): Buffer {
  return Buffer.from(`lethe/v1\n${table}\n${column}\n${subjectType}\n${subjectId}`);
}

interface Key {
  readonly keyId: Buffer;
  readonly generation: number;
  readonly key: KeyObject;
}

/** Writes the ciphertext of `plaintext` into `out` at `at`, which must have room; returns the end. */
export function encryptInto(out: Buffer, at: number, key: Key, aad: Buffer, plaintext: Buffer): number {
  const nonce = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce);
  cipher.setAAD(aad);
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

export function encrypt(key: Key, aad: Buffer, plaintext: Buffer): Buffer {
  const out = Buffer.allocUnsafe(plaintext.length + ciphertextOverhead);
  encryptInto(out, 0, key, aad, plaintext);
  return out;
}

/** Key id and generation that a ciphertext names; undefined if it is not of a known format. */
export function describeCiphertext(data: Buffer): { keyId: Buffer; generation: number } | undefined {
  if (data.length < ciphertextOverhead || data[0] !== ciphertextFormat) return undefined;
  return { keyId: data.subarray(1, 17), generation: data.readUInt32BE(17) };
}

/** The plaintext, or undefined if key, place or bytes are not those it was made with. */
export function decrypt(key: KeyObject, aad: Buffer, data: Buffer): Buffer | undefined {
  if (!describeCiphertext(data)) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(21, 33));
  decipher.setAAD(aad);
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
 * Nonces come from the system's CSPRNG through a pool: one call per 4,096 nonces, each used once. 96 random bits under a key of
 * one data subject stay far below the 2^32 messages that SP 800-38D allows.
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
