import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { MasterKey } from '../keys/master-key.ts';
import { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import { pseudonymSecret } from '../keys/schema.ts';

/** A row of the key store's table of data keys. */
interface KeyRow {
  readonly key_id: string;
  readonly generation: number;
  readonly subject_digest: Buffer;
  readonly wrapped: Buffer;
}

const subjectType = 'customer';

/** Data keys of persons numbered from 0, wrapped as the key store's database holds them, in memory. */
export class BenchKeys {
  readonly master = new MasterKey(randomBytes(32).toString('base64'));
  readonly rows: readonly KeyRow[];
  private readonly byDigest = new Map<string, KeyRow>();
  private readonly secret = this.master.newKey(pseudonymSecret, 0);

  constructor(subjects: number) {
    this.rows = Array.from({ length: subjects }, (_, n) => {
      const id = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
      const digest = this.master.subjectDigest(subjectType, String(n));
      return { key_id: id, generation: 1, subject_digest: digest, wrapped: this.master.newKey(id, 1) };
    });
    for (const row of this.rows) this.byDigest.set(row.subject_digest.toString('latin1'), row);
  }

  /**
   * The product's own key store with nothing in its cache. Its database answers from memory: the round trip, one for each
   * batch, is not what is measured, and looking up, unwrapping and keeping the keys is.
   */
  coldStore(): PostgresKeyStore {
    return new PostgresKeyStore({ on() {}, query: this.query.bind(this) } as unknown as Pool, this.master);
  }

  /** One that has seen all the persons before. */
  async warmStore(): Promise<PostgresKeyStore> {
    const store = this.coldStore();
    const ids = this.rows.map((_, n) => String(n));
    await store.dataKeys(subjectType, ids);
    return store;
  }

  private async query(_text: string, values: readonly unknown[]): Promise<{ rows: unknown[] }> {
    if (values[0] === pseudonymSecret) return { rows: [{ wrapped: this.secret }] };
    const digests = values[1] as readonly Buffer[];
    return { rows: digests.flatMap((d) => this.byDigest.get(d.toString('latin1')) ?? []) };
  }
}
