import { createDecipheriv } from 'node:crypto';
import { prefixed } from './protect.ts';
import { VerifyError } from '../verify-error.ts';

/** The parts of an encrypted value: `02`, key id (16), generation (4), nonce (12), ciphertext, tag (16). */
export interface Ciphertext {
  readonly keyId: string;
  readonly generation: number;
  readonly nonce: Buffer;
  readonly body: Buffer;
  readonly tag: Buffer;
}

const format = 2;
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

/** What binds an encrypted value to its place and its key: moved to another table or column, or said to be under another key, it does not open. */
export function associatedData(table: string, column: string, keyId: string): Buffer {
  return prefixed('lethe/value/v2', table, column, Buffer.from(keyId.replaceAll('-', ''), 'hex'));
}

export function openCiphertext(ciphertext: Ciphertext, key: Buffer, associated: Buffer): Buffer {
  return openGcm(key, ciphertext.nonce, ciphertext.body, ciphertext.tag, associated);
}

/** AES-256-GCM; throws unless key, nonce, tag and associated data all fit. */
export function openGcm(key: Buffer, nonce: Buffer, body: Buffer, tag: Buffer, associated: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(associated);
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
