import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { LetheError } from '../schemas/errors.ts';

/**
 * The master key and what is derived from it by HKDF-SHA-256 (RFC 5869, empty salt): a wrapping key and an index key. It
 * never touches data.
 */
export class MasterKey {
  readonly version: number;
  private readonly wrapping: Buffer;
  private readonly index: Buffer;
  /** 16 bytes that tell one master key from another and say nothing about it. */
  readonly checkValue: Buffer;

  /** From 32 bytes in base64. */
  constructor(base64: string, version = 1) {
    const secret = Buffer.from(base64, 'base64');
    if (secret.length !== 32 || secret.toString('base64') !== base64.trim()) {
      throw new LetheError('CONFIG_INVALID', 'keys.masterKey is not 32 bytes in base64', {
        fix: 'Make one with `openssl rand -base64 32`, keep it in a file and name it as ${file:PATH}.',
      });
    }
    this.version = version;
    this.wrapping = derive(secret, 'lethe/wrap/v1');
    this.index = derive(secret, 'lethe/index/v1');
    this.checkValue = derive(secret, 'lethe/check/v1').subarray(0, 16);
  }

  /** What a data subject is looked up by, so that the key store holds no id in the clear. */
  subjectDigest(type: string, id: string): Buffer {
    return createHmac('sha256', this.index).update(`${type}\n${id}`).digest();
  }

  /** A new key of 32 bytes and its wrapped form, bound to its name and generation. */
  newKey(name: string, generation: number): Buffer {
    return this.wrap(randomBytes(32), name, generation);
  }

  /** [0x01][12 nonce][32 ciphertext][16 tag], AES-256-GCM. */
  private wrap(key: Buffer, name: string, generation: number): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.wrapping, nonce);
    cipher.setAAD(wrapData(name, generation));
    const body = Buffer.concat([cipher.update(key), cipher.final()]);
    return Buffer.concat([Buffer.of(1), nonce, body, cipher.getAuthTag()]);
  }

  /** The key that {@link newKey} wrapped under this name and generation. */
  unwrap(wrapped: Buffer, name: string, generation: number): KeyObject {
    try {
      if (wrapped.length !== 61 || wrapped[0] !== 1) throw new Error('format');
      const decipher = createDecipheriv('aes-256-gcm', this.wrapping, wrapped.subarray(1, 13));
      decipher.setAAD(wrapData(name, generation));
      decipher.setAuthTag(wrapped.subarray(45));
      return createSecretKey(Buffer.concat([decipher.update(wrapped.subarray(13, 45)), decipher.final()]));
    } catch {
      throw new LetheError('KEY_STORE_INVALID', `the master key does not open key ${name}`);
    }
  }
}

function derive(secret: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, 32));
}

function wrapData(name: string, generation: number): Buffer {
  return Buffer.from(`lethe/wrap/v1\n${name}\n${generation}`);
}
