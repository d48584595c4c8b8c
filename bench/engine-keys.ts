import { randomBytes } from 'node:crypto';
import type { MasterKeys } from '../keys/master/master-key.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import { rootBytes } from '../keys/subject-key.ts';
import { wrapKey } from '../keys/wrapped-key.ts';
import { secretNames } from '../keys/schema.ts';

/** A row of the key store's tables of subjects and data keys. */
interface KeyRow {
  readonly key_id: string;
  readonly generation: number;
  readonly subject_digest: Buffer;
  readonly wrapped: Buffer;
}

const kind = { type: 'customer' };
const epoch = 1;

/** Data keys of persons numbered from 0, wrapped as the key store's database holds them, in memory. */
export class BenchKeys {
  private readonly epochKey = randomBytes(rootBytes);
  private readonly byDigest = new Map<string, KeyRow>();
  /** Of batches that will come, by the first person asked for. */
  private answers = new Map<string, KeyRow[]>();
  private readonly secrets: ReadonlyMap<string, Buffer>;
  private readonly subjects: number;

  private constructor(subjects: number) {
    this.subjects = subjects;
    this.secrets = new Map(
      secretNames.map((name) => [name, wrapKey(epoch, this.epochKey, name, 0, randomBytes(rootBytes))]),
    );
  }

  static async of(subjects: number): Promise<BenchKeys> {
    const keys = new BenchKeys(subjects);
    const store = keys.coldStore();
    for (let n = 0; n < subjects; n++) {
      const id = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
      const digest = await store.subjectDigest(kind, String(n));
      const wrapped = wrapKey(epoch, keys.epochKey, id, 1, randomBytes(2 * rootBytes));
      keys.byDigest.set(digest.toString('latin1'), {
        key_id: id,
        generation: 1,
        subject_digest: digest,
        wrapped,
      });
    }
    return keys;
  }

  /**
   * The product's own key store with nothing in its cache. Its database answers from memory: the round trip, one for each
   * batch, is not what is measured, and looking up, unwrapping and keeping the keys is.
   */
  coldStore(): PostgresKeyStore {
    const master = { kind: 'local', unwrap: async () => this.epochKey } as unknown as MasterKeys;
    return new PostgresKeyStore({ query: this.query.bind(this) } as never, master);
  }

  /** One that has seen all the persons before. */
  async warmStore(): Promise<PostgresKeyStore> {
    const store = this.coldStore();
    await store.dataKeys(
      kind,
      Array.from({ length: this.subjects }, (_, n) => String(n)),
    );
    return store;
  }

  /** Has the answers for batches of these persons at hand: looking for them in memory is the database's work, and not what is measured. */
  async expect(batches: readonly (readonly string[])[]): Promise<void> {
    const store = this.coldStore();
    this.answers = new Map();
    for (const ids of batches) {
      const digests = await Promise.all(ids.map((id) => store.subjectDigest(kind, id)));
      this.answers.set(digests[0]!.toString('latin1'), this.rowsOf(digests));
    }
  }

  private rowsOf(digests: readonly Buffer[]): KeyRow[] {
    return digests.flatMap((d) => this.byDigest.get(d.toString('latin1')) ?? []);
  }

  private async query(text: string, values: readonly unknown[] = []): Promise<{ rows: unknown[] }> {
    if (text.includes('as gone')) return { rows: [{ now: 'now', gone: [], suppressed: [] }] };
    if (text.includes('from lethe_keys.suppressed where')) return { rows: [] };
    if (text.includes('lethe_keys.epochs')) {
      const row = { store: 'bench', epoch, master_kind: 'local', master_name: 'bench', state: 'open' };
      return { rows: [{ ...row, wrapped: Buffer.alloc(0) }] };
    }
    if (text.includes('lethe_keys.secrets'))
      return { rows: [{ wrapped: this.secrets.get(values[0] as string) }] };
    const digests = values[2] as readonly Buffer[];
    const known = this.answers.get(digests[0]!.toString('latin1'));
    if (known?.length === digests.length) return { rows: known };
    return { rows: this.rowsOf(digests) };
  }
}

/** The key store of the moment: what is compiled once goes on with one that has other keys at hand. */
export class SwitchedKeys implements KeyStore {
  current: KeyStore;

  constructor(current: KeyStore) {
    this.current = current;
  }

  readonly dataKeys: KeyStore['dataKeys'] = (kind, ids) => this.current.dataKeys(kind, ids);
  readonly areSuppressed: KeyStore['areSuppressed'] = (kind, ids) => this.current.areSuppressed(kind, ids);
  readonly keyById: KeyStore['keyById'] = (keyId, generation) => this.current.keyById(keyId, generation);
  readonly sharedKey: KeyStore['sharedKey'] = (use) => this.current.sharedKey(use);
  readonly close: KeyStore['close'] = () => this.current.close();
}
