import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Config } from '../schemas/config.ts';
import { withSnapshot, type TextRow } from './postgres.ts';
import { type Ciphertext, openGcm } from './rules/ciphertext.ts';
import { hkdf } from './rules/protect.ts';
import { VerifyError } from './verify-error.ts';

interface StoredKey {
  readonly generation: number;
  readonly subjectType: string;
  readonly subjectDigest: Buffer;
  readonly wrapped: Buffer | null;
}

const wrappedBytes = 1 + 12 + 32 + 16;

/** Every key of the key store, read straight from its tables and unwrapped by the written rules. */
export class KeyRing {
  readonly #wrapKey: Buffer;
  readonly #indexKey: Buffer;
  readonly #stored: ReadonlyMap<string, StoredKey>;
  readonly #pseudonymKey: Buffer | undefined;
  readonly #opened = new Map<string, Buffer>();

  constructor(masterKey: Buffer, keys: readonly TextRow[], secrets: readonly TextRow[]) {
    if (masterKey.length !== 32) throw new VerifyError('NOT_COVERED', 'the master key is not 32 bytes');
    this.#wrapKey = hkdf(masterKey, 'lethe/wrap/v1');
    this.#indexKey = hkdf(masterKey, 'lethe/index/v1');
    this.#stored = new Map(
      keys.map((row) => [
        row['key_id']!,
        {
          generation: Number(row['generation']),
          subjectType: row['subject_type']!,
          subjectDigest: fromHex(row['subject_digest']!)!,
          wrapped: fromHex(row['wrapped'] ?? null),
        },
      ]),
    );
    const pseudonym = fromHex(secrets.find((row) => row['name'] === 'pseudonym')?.['wrapped'] ?? null);
    this.#pseudonymKey = pseudonym ? this.#unwrap(pseudonym, 'pseudonym', 0) : undefined;
  }

  static async read(config: Pick<Config, 'keys'>): Promise<KeyRing> {
    const masterKey = Buffer.from(config.keys.masterKey.trim(), 'base64');
    return withSnapshot(config.keys, 'the key store', async (query) => {
      const [schema] = await query(`SELECT 1 AS found FROM pg_namespace WHERE nspname = 'lethe_keys'`);
      if (!schema) return new KeyRing(masterKey, [], []);
      return new KeyRing(
        masterKey,
        await query(
          'SELECT key_id, generation, subject_type, subject_digest, wrapped FROM lethe_keys.data_keys',
        ),
        await query('SELECT name, wrapped FROM lethe_keys.secrets'),
      );
    });
  }

  /** The root of all pseudonyms. */
  get pseudonymKey(): Buffer {
    if (!this.#pseudonymKey) throw new VerifyError('NOT_COVERED', 'the key store holds no pseudonym key');
    return this.#pseudonymKey;
  }

  /** The data key that a value says it is encrypted under; throws unless that key is this subject's own. */
  dataKey(ciphertext: Ciphertext, subjectType: string, subjectId: string): Buffer {
    const stored = this.#stored.get(ciphertext.keyId);
    if (!stored) throw malformed('names a key that the key store does not have');
    if (stored.generation !== ciphertext.generation) throw malformed('names another generation of its key');
    const digest = createHmac('sha256', this.#indexKey)
      .update(`${subjectType}\n${subjectId}`, 'utf8')
      .digest();
    if (stored.subjectType !== subjectType || !equal(stored.subjectDigest, digest)) {
      throw malformed("is under another subject's key");
    }
    let key = this.#opened.get(ciphertext.keyId);
    if (!key) {
      if (!stored.wrapped) throw malformed('is under a destroyed key');
      key = this.#unwrap(stored.wrapped, ciphertext.keyId, stored.generation);
      this.#opened.set(ciphertext.keyId, key);
    }
    return key;
  }

  /** What a subject's keys are found by in the key store; see {@link ownerOf}. */
  digestOf(subjectType: string, subjectId: string): string {
    return createHmac('sha256', this.#indexKey).update(`${subjectType}\n${subjectId}`, 'utf8').digest('hex');
  }

  /** The {@link digestOf} of whose key a value says it is encrypted under; undefined if there is no such key. */
  ownerOf(ciphertext: Ciphertext): string | undefined {
    return this.#stored.get(ciphertext.keyId)?.subjectDigest.toString('hex');
  }

  #unwrap(wrapped: Buffer, name: string, generation: number): Buffer {
    if (wrapped.length !== wrappedBytes || wrapped[0] !== 1) {
      throw new VerifyError('DATA_MALFORMED', 'the key store holds a wrapped key of an unknown form');
    }
    const associated = `lethe/wrap/v1\n${name}\n${generation}`;
    return openGcm(
      this.#wrapKey,
      wrapped.subarray(1, 13),
      wrapped.subarray(13, 45),
      wrapped.subarray(45),
      associated,
    );
  }
}

function malformed(why: string): VerifyError {
  return new VerifyError('DATA_MALFORMED', `an encrypted value ${why}`);
}

function fromHex(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text.replace(/^\\x/, ''), 'hex');
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
