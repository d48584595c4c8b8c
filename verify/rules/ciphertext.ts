import { createDecipheriv } from 'node:crypto';
import { VerifyError } from '../verify-error.ts';

/** The parts of an encrypted value: `01`, key id (16), generation (4), nonce (12), ciphertext, tag (16). */
export interface Ciphertext {
  readonly keyId: string;
  readonly generation: number;
  readonly nonce: Buffer;
  readonly body: Buffer;
  readonly tag: Buffer;
}

const format = 1;
const headerBytes = 1 + 16 + 4 + 12;
const tagBytes = 16;

export function parseCiphertext(bytes: Buffer): Ciphertext {
  if (bytes.length < headerBytes + tagBytes || bytes[0] !== format) {
    throw new VerifyError('DATA_MALFORMED', 'not a ciphertext');
  }
  return {
    keyId: uuidText(bytes.subarray(1, 17)),
    generation: bytes.readUInt32BE(17),
    nonce: bytes.subarray(21, headerBytes),
    body: bytes.subarray(headerBytes, bytes.length - tagBytes),
    tag: bytes.subarray(bytes.length - tagBytes),
  };
}

/** What binds an encrypted value to its place: moved to another table, column or person it does not open. */
export function associatedData(
  table: string,
  column: string,
  subjectType: string,
  subjectId: string,
): string {
  return `lethe/v1\n${table}\n${column}\n${subjectType}\n${subjectId}`;
}

export function openCiphertext(ciphertext: Ciphertext, key: Buffer, associated: string): Buffer {
  return openGcm(key, ciphertext.nonce, ciphertext.body, ciphertext.tag, associated);
}

/** AES-256-GCM; throws unless key, nonce, tag and associated data all fit. */
export function openGcm(key: Buffer, nonce: Buffer, body: Buffer, tag: Buffer, associated: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(associated, 'utf8'));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    throw new VerifyError('DATA_MALFORMED', 'a ciphertext does not open under its key and place');
  }
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
