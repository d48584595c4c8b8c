import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const nonceBytes = 12;
const tagBytes = 16;
/** What {@link seal} adds. */
export const sealOverhead = nonceBytes + tagBytes;

/** [12 nonce][ciphertext][16 tag], AES-256-GCM (NIST SP 800-38D) with a random nonce. */
export function seal(key: Buffer, plaintext: Buffer, associated: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext; undefined if key, associated data or bytes are not those it was sealed with. */
export function unseal(key: Buffer, sealed: Buffer, associated: Buffer): Buffer | undefined {
  if (sealed.length < sealOverhead) return undefined;
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes));
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(end));
  const body = decipher.update(sealed.subarray(nonceBytes, end));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return body;
}
