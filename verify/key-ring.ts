import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Config } from '../schemas/config.ts';
import { type EpochOpener, localEpochOpener, openSealed } from './epoch-opener.ts';
import { withSnapshot, type TextRow } from './postgres.ts';
import type { Ciphertext } from './rules/ciphertext.ts';
import { prefixed, subkeyOf } from './rules/protect.ts';
import { VerifyError } from './verify-error.ts';

/** What the key store's tables hold, as Postgres prints it. */
export interface StoredKeys {
  /** Keys of the epochs that are not destroyed. */
  readonly epochs: ReadonlyMap<string, Buffer>;
  readonly secrets: readonly TextRow[];
  readonly subjects: readonly TextRow[];
  readonly keys: readonly TextRow[];
  /** Subjects of whom nothing may pass. */
  readonly suppressed?: readonly TextRow[];
}

const rootBytes = 32;
const wrappedHead = 5;

/** Every key of the key store, read straight from its tables and unwrapped by the written rules. */
export class KeyRing {
  readonly #epochs: ReadonlyMap<string, Buffer>;
  readonly #index: Buffer | undefined;
  readonly #shared: Buffer | undefined;
  /** Key id by type and digest, and the other way about. */
  readonly #keyOf = new Map<string, string>();
  readonly #ownerOf = new Map<string, string>();
  /** Wrapped roots by key id and generation; null where they were destroyed. */
  readonly #wrapped = new Map<string, Buffer | null>();
  readonly #roots = new Map<string, Buffer>();
  readonly #newest = new Map<string, number>();
  /** Digests, see {@link digestOf}. */
  readonly #suppressed = new Set<string>();

  constructor(stored: StoredKeys) {
    this.#epochs = stored.epochs;
    const secret = (name: string) => {
      const wrapped = fromHex(stored.secrets.find((row) => row['name'] === name)?.['wrapped'] ?? null);
      return wrapped ? this.#unwrap(wrapped, name, 0) : undefined;
    };
    this.#index = secret('index');
    this.#shared = secret('shared');
    for (const row of stored.subjects) {
      const owner = ownerIn(row);
      this.#keyOf.set(owner, row['key_id']!);
      this.#ownerOf.set(row['key_id']!, owner);
    }
    for (const row of stored.suppressed ?? []) this.#suppressed.add(ownerIn(row));
    for (const row of stored.keys) {
      const [id, generation] = [row['key_id']!, Number(row['generation'])];
      this.#wrapped.set(`${id}/${generation}`, fromHex(row['wrapped'] ?? null));
      this.#newest.set(id, Math.max(generation, this.#newest.get(id) ?? 0));
    }
  }

  /** Was the person forgotten? Then no place may have any of their rows, whatever the source has. */
  isForgotten(subjectType: string, subjectId: string): boolean {
    if (!this.#index) return false;
    const digest = this.digestOf(subjectType, subjectId);
    if (this.#suppressed.has(digest)) return true;
    const id = this.#keyOf.get(digest);
    return id !== undefined && this.#wrapped.get(`${id}/${this.#newest.get(id)}`) === null;
  }

  /** `open`: asks the master keys; by default those in the file of lethe.yaml. */
  static async read(
    config: Pick<Config, 'keys'>,
    open: EpochOpener = localEpochOpener(config),
  ): Promise<KeyRing> {
    return withSnapshot(config.keys, 'the key store', async (query) => {
      const [schema] = await query(`SELECT 1 AS found FROM pg_namespace WHERE nspname = 'lethe_keys'`);
      if (!schema) return new KeyRing({ epochs: new Map(), secrets: [], subjects: [], keys: [] });
      const epochs = await query(
        `SELECT s.id AS store, e.epoch, e.master_name, e.wrapped
           FROM lethe_keys.epochs e CROSS JOIN lethe_keys.store s WHERE e.wrapped IS NOT NULL`,
      );
      const opened = new Map<string, Buffer>();
      for (const row of epochs) {
        const context = prefixed('lethe/epoch/v2', row['store']!, row['epoch']!);
        opened.set(row['epoch']!, await open(row['master_name']!, fromHex(row['wrapped']!)!, context));
      }
      return new KeyRing({
        epochs: opened,
        secrets: await query('SELECT name, wrapped FROM lethe_keys.secrets'),
        subjects: await query(
          `SELECT subject_type, subject_digest, key_id FROM lethe_keys.subjects WHERE purpose = ''`,
        ),
        keys: await query('SELECT key_id, generation, wrapped FROM lethe_keys.data_keys'),
        suppressed: await query('SELECT subject_type, subject_digest FROM lethe_keys.suppressed'),
      });
    });
  }

  /** The root of the keys that belong to no subject. */
  get sharedRoot(): Buffer {
    if (!this.#shared) throw new VerifyError('NOT_COVERED', 'the key store holds no shared secret');
    return this.#shared;
  }

  /** The root of a subject's pseudonyms, tokens and formats, which all its generations share. */
  lastingRoot(subjectType: string, subjectId: string): Buffer {
    const id = this.#keyOf.get(this.digestOf(subjectType, subjectId));
    if (id === undefined) throw malformed('of a subject that the key store does not know');
    return this.#open(id, this.#newest.get(id)!).subarray(rootBytes);
  }

  /** The key of a value that says what it is encrypted under; throws unless that key is this subject's own. */
  valueKey(
    ciphertext: Ciphertext,
    subjectType: string,
    subjectId: string,
    table: string,
    classification: string,
  ): Buffer {
    const { keyId, generation } = ciphertext;
    if (!this.#newest.has(keyId)) throw malformed('names a key that the key store does not have');
    if (!this.#wrapped.has(`${keyId}/${generation}`)) throw malformed('names another generation of its key');
    const owner = this.#ownerOf.get(keyId);
    if (owner === undefined || !equal(owner, this.digestOf(subjectType, subjectId))) {
      throw malformed("is under another subject's key");
    }
    const root = this.#open(keyId, generation).subarray(0, rootBytes);
    return subkeyOf(root, 32, 'encrypt', table, classification);
  }

  /** What a subject's key is found by in the key store; see {@link ownerOf}. */
  digestOf(subjectType: string, subjectId: string): string {
    if (!this.#index) throw new VerifyError('NOT_COVERED', 'the key store holds no index secret');
    const name = prefixed('lethe/subject/v2', subjectType, '', subjectId);
    return `${subjectType}/${createHmac('sha256', this.#index).update(name).digest('hex')}`;
  }

  /** The {@link digestOf} of whose key a value says it is encrypted under; undefined if there is no such key. */
  ownerOf(ciphertext: Ciphertext): string | undefined {
    return this.#ownerOf.get(ciphertext.keyId);
  }

  #open(id: string, generation: number): Buffer {
    const name = `${id}/${generation}`;
    let roots = this.#roots.get(name);
    if (!roots) {
      const wrapped = this.#wrapped.get(name);
      if (!wrapped) throw malformed('is under a destroyed key');
      roots = this.#unwrap(wrapped, id, generation);
      this.#roots.set(name, roots);
    }
    return roots;
  }

  #unwrap(wrapped: Buffer, name: string, generation: number): Buffer {
    if (wrapped.length <= wrappedHead || wrapped[0] !== 2) {
      throw new VerifyError('DATA_MALFORMED', 'the key store holds a wrapped key of an unknown form');
    }
    const epoch = String(wrapped.readUInt32BE(1));
    const key = this.#epochs.get(epoch);
    if (!key) throw new VerifyError('NOT_COVERED', `a key is wrapped under epoch ${epoch}, which is gone`);
    const context = prefixed('lethe/wrap/v2', epoch, name, String(generation));
    return openSealed(key, wrapped.subarray(wrappedHead), context);
  }
}

function ownerIn(row: TextRow): string {
  return `${row['subject_type']}/${fromHex(row['subject_digest']!)!.toString('hex')}`;
}

function malformed(why: string): VerifyError {
  return new VerifyError('DATA_MALFORMED', `an encrypted value ${why}`);
}

function fromHex(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text.replace(/^\\x/, ''), 'hex');
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
