import { hkdfSync, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { BoundedCache } from '../pipeline/bounded-cache.ts';
import { LetheError } from '../schemas/errors.ts';
import { type KeyStore, secretBytes, type SecretPurpose, type StoredKey } from './key-store.ts';
import type { MasterKey } from './master-key.ts';
import { pseudonymSecret } from './schema.ts';

interface KeyRow {
  key_id: string;
  generation: number;
  subject_digest: Buffer;
  wrapped: Buffer | null;
}

/** How long and how many unwrapped keys stay in memory: both bound how long a destroyed key can still be used here. */
export interface CacheBounds {
  readonly maxKeys: number;
  readonly maxAgeMs: number;
}

const defaultBounds: CacheBounds = { maxKeys: 200_000, maxAgeMs: 300_000 };

/** The key store in its own Postgres database. `now` is passed in for tests. */
export class PostgresKeyStore implements KeyStore {
  private readonly pool: Pool;
  private readonly master: MasterKey;
  private readonly maxAgeMs: number;
  private readonly now: () => number;
  private readonly cache: BoundedCache<string, { key: StoredKey; until: number }>;
  private pseudonyms: Buffer | undefined;

  constructor(
    pool: Pool,
    master: MasterKey,
    bounds: CacheBounds = defaultBounds,
    now: () => number = Date.now,
  ) {
    this.pool = pool;
    this.master = master;
    this.maxAgeMs = bounds.maxAgeMs;
    this.now = now;
    this.cache = new BoundedCache(bounds.maxKeys);
  }

  async dataKeys(type: string, ids: readonly string[]): Promise<(StoredKey | null)[]> {
    const found: (StoredKey | null)[] = [];
    const missing: string[] = [];
    const now = this.now();
    for (const id of ids) {
      const cached = this.cache.get(`${type}\n${id}`);
      const known = cached && cached.until > now;
      found.push(known ? cached.key : null);
      if (!known) missing.push(id);
    }
    if (missing.length === 0) return found;
    const loaded = await this.load(type, missing);
    for (const [id, key] of loaded)
      if (key) this.cache.set(`${type}\n${id}`, { key, until: now + this.maxAgeMs });
    return ids.map((id, i) => found[i] ?? loaded.get(id) ?? null);
  }

  async keyById(keyId: Buffer, generation: number): Promise<StoredKey | null> {
    const { rows } = await this.query<KeyRow>(
      'select key_id, generation, subject_digest, wrapped from lethe_keys.data_keys where key_id = $1 and generation = $2',
      [uuidText(keyId), generation],
    );
    return rows[0] ? this.open(rows[0]) : null;
  }

  async secret(purpose: SecretPurpose, scope: string): Promise<KeyObject> {
    if (!this.pseudonyms) {
      const { rows } = await this.query<{ wrapped: Buffer }>(
        'select wrapped from lethe_keys.secrets where name = $1',
        [pseudonymSecret],
      );
      if (!rows[0])
        throw new LetheError('KEY_STORE_INVALID', 'the key store has no pseudonym secret', {
          fix: 'Run `lethe apply`.',
        });
      this.pseudonyms = this.master.unwrap(rows[0].wrapped, pseudonymSecret, 0).export();
    }
    const info = `lethe/${purpose}/v1/${scope}`;
    const key = hkdfSync('sha256', this.pseudonyms, Buffer.alloc(0), info, secretBytes[purpose]);
    return createSecretKey(Buffer.from(key));
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** Latest keys of subjects; those who never had one get one. Two processes that do so at once end with the same key. */
  private async load(type: string, ids: readonly string[]): Promise<Map<string, StoredKey | null>> {
    const digests = ids.map((id) => this.master.subjectDigest(type, id));
    let rows = await this.latest(type, digests);
    const known = new Set(rows.map((r) => r.subject_digest.toString('hex')));
    const fresh = digests.filter((d) => !known.has(d.toString('hex')));
    if (fresh.length > 0) {
      await this.mint(type, fresh);
      rows = await this.latest(type, digests);
    }
    const byDigest = new Map(rows.map((r) => [r.subject_digest.toString('hex'), r]));
    return new Map(
      ids.map((id, i) => {
        const row = byDigest.get(digests[i]!.toString('hex'));
        return [id, row ? this.open(row) : null];
      }),
    );
  }

  private async latest(type: string, digests: readonly Buffer[]): Promise<KeyRow[]> {
    const { rows } = await this.query<KeyRow>(
      `select distinct on (subject_digest) key_id, generation, subject_digest, wrapped
         from lethe_keys.data_keys where subject_type = $1 and subject_digest = any($2)
        order by subject_digest, generation desc`,
      [type, digests],
    );
    return rows;
  }

  private async mint(type: string, digests: readonly Buffer[]): Promise<void> {
    const keyIds = digests.map(() => randomUUID());
    await this.query(
      `insert into lethe_keys.data_keys (key_id, generation, subject_type, subject_digest, wrapped, master_version)
       select k, 1, $1, d, w, $5 from unnest($2::uuid[], $3::bytea[], $4::bytea[]) as t (k, d, w)
       on conflict (subject_type, subject_digest, generation) do nothing`,
      [type, keyIds, digests, keyIds.map((id) => this.master.newKey(id, 1)), this.master.version],
    );
  }

  private open(row: KeyRow): StoredKey | null {
    if (!row.wrapped) return null;
    const key = this.master.unwrap(row.wrapped, row.key_id, row.generation);
    return { keyId: Buffer.from(row.key_id.replaceAll('-', ''), 'hex'), generation: row.generation, key };
  }

  private async query<R extends object = never>(text: string, values: unknown[]): Promise<{ rows: R[] }> {
    try {
      return await this.pool.query<R>(text, values);
    } catch (cause) {
      throw keyStoreError(cause);
    }
  }
}

/** Nothing of the driver's text: it may quote what was sent. */
export function keyStoreError(cause: unknown): LetheError {
  const state = (cause as { code?: unknown }).code;
  const code = typeof state === 'string' ? state : 'no answer';
  if (code === '42P01' || code === '3F000' || code === '3D000') {
    return new LetheError('KEY_STORE_INVALID', `the key store is not set up (${code})`, {
      fix: 'Run `lethe apply`.',
    });
  }
  if (code === '28P01' || code === '28000') {
    return new LetheError('AUTH_FAILED', 'the key store refused the credentials of keys.url');
  }
  return new LetheError('KEY_STORE_UNAVAILABLE', `the key store failed (${code})`);
}

function uuidText(id: Buffer): string {
  const hex = id.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
