import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { LetheError } from '../schemas/errors.ts';
import type { KeyUse } from '../schemas/key-use.ts';
import { DestroyedKeys } from './destroyed-keys.ts';
import { EpochRing, notSetUp } from './epoch-ring.ts';
import { type CacheBounds, KindCaches } from './kind-caches.ts';
import { keyStoreError } from './key-store-error.ts';
import type { KeyStore, SubjectKind } from './key-store.ts';
import type { MasterKeys } from './master/master-key.ts';
import { indexSecret, sharedSecret } from './schema.ts';
import { digestOfSubject } from './digest-of-subject.ts';
import { deriveSubkey } from './subkey.ts';
import { rootBytes, SubjectKey } from './subject-key.ts';
import { uuidBytes, uuidText } from './uuid.ts';
import { epochOfWrapped, unwrapKey, wrapKey } from './wrapped-key.ts';

interface KeyRow {
  readonly key_id: string;
  readonly generation: number;
  readonly subject_digest: Buffer;
  readonly wrapped: Buffer | null;
}

/**
 * How long keys in memory may be used since the last look at what was destroyed. One that is destroyed is in no further batch after that
 * time, in no process: who cannot look has no keys.
 */
export const keyLeaseMs = 1_000;

const defaultBounds: CacheBounds = { maxKeys: 200_000, maxAgeMs: 300_000 };
/** An epoch may be closed between the look at it and the use of it, once; more often is a fault. */
const mostMints = 3;
const none: ReadonlySet<number> = new Set();

/** The key store in its own Postgres database. `now` is passed in for tests. */
export class PostgresKeyStore implements KeyStore {
  readonly #pool: Pick<Pool, 'query' | 'end'>;
  readonly #ring: EpochRing;
  readonly #keys: KindCaches<SubjectKey>;
  /** Who was not suppressed at the last look, and the digest of each, in latin1. */
  readonly #unsuppressed: KindCaches<string>;
  readonly #secrets = new Map<string, Buffer>();
  readonly #destroyed: DestroyedKeys;

  constructor(
    pool: Pick<Pool, 'query' | 'end'>,
    master: MasterKeys,
    bounds: CacheBounds = defaultBounds,
    now: () => number = Date.now,
  ) {
    this.#pool = pool;
    this.#ring = new EpochRing((text, values) => this.#query(text, values), master);
    this.#keys = new KindCaches(bounds, now);
    this.#unsuppressed = new KindCaches(bounds, now);
    this.#destroyed = new DestroyedKeys((text, values) => this.#query(text, values), keyLeaseMs, now);
  }

  async dataKeys(kind: SubjectKind, ids: readonly string[]): Promise<(SubjectKey | null)[]> {
    await this.#forget();
    // Also where every key is at hand: the key of an epoch that has ended must leave the memory.
    await this.#ring.load(none);
    const found: (SubjectKey | null)[] = [];
    const missing: number[] = [];
    const cache = this.#keys.of(kind);
    for (const [i, id] of ids.entries()) {
      const known = cache.get(id);
      found.push(known ?? null);
      if (!known) missing.push(i);
    }
    if (missing.length === 0) return found;
    const loaded = await this.#load(
      kind,
      missing.map((i) => ids[i]!),
    );
    await this.#destroyed.stillThere();
    for (const [n, i] of missing.entries()) {
      const key = loaded[n]!;
      if (key) cache.set(ids[i]!, key);
      found[i] = key;
    }
    return found;
  }

  /** Drops what may not be used any more. Fails as the key store does, and then nothing may be used. */
  async #forget(): Promise<void> {
    const { keyIds, suppressed } = await this.#destroyed.sinceLastLook();
    if (keyIds.size > 0) this.#keys.forget((key) => keyIds.has(uuidText(key.keyId)));
    // Only them: where people ask to be forgotten all day, the others would never be at hand.
    if (suppressed.size > 0) this.#unsuppressed.forget((own) => suppressed.has(own));
  }

  async areSuppressed(kind: SubjectKind, ids: readonly string[]): Promise<boolean[]> {
    await this.#forget();
    const cache = this.#unsuppressed.of(kind);
    const unknown: string[] = [];
    for (const id of ids) if (cache.get(id) === undefined) unknown.push(id);
    if (unknown.length === 0) return Array.from({ length: ids.length }, () => false);
    const index = await this.#secret(indexSecret);
    const digests = unknown.map((id) => digestOfSubject(index, kind, id));
    const found = await this.#suppressed(kind, digests);
    await this.#destroyed.stillThere();
    const suppressed = new Set<string>();
    for (const [i, id] of unknown.entries()) {
      const own = digests[i]!.toString('latin1');
      if (found.has(own)) suppressed.add(id);
      else cache.set(id, own);
    }
    return ids.map((id) => suppressed.has(id));
  }

  /** Those of the digests that are suppressed, in latin1. */
  async #suppressed(
    { type, purpose }: SubjectKind,
    digests: readonly Buffer[],
  ): Promise<ReadonlySet<string>> {
    // A purpose of its own outlives the person's key, as the contract has it.
    if (purpose !== undefined) return new Set();
    const { rows } = await this.#query<{ d: Buffer }>(
      'select subject_digest as d from lethe_keys.suppressed where subject_type = $1 and subject_digest = any($2)',
      [type, digests],
    );
    return new Set(rows.map(({ d }) => d.toString('latin1')));
  }

  /** The same of those who have one; undefined for who never had, and nothing is made. */
  async findKeys(kind: SubjectKind, ids: readonly string[]): Promise<(SubjectKey | null | undefined)[]> {
    const index = await this.#secret(indexSecret);
    const digests = ids.map((id) => digestOfSubject(index, kind, id));
    const rows = await this.#latest(kind, digests);
    const byDigest = new Map(rows.map((row) => [row.subject_digest.toString('latin1'), this.#open(row)]));
    return digests.map((d) => byDigest.get(d.toString('latin1')));
  }

  async keyById(keyId: Buffer, generation: number): Promise<SubjectKey | null> {
    const rows = await this.#readWrapped(() =>
      this.#query<KeyRow>(
        `select key_id, generation,
                case when exists (select from lethe_keys.subjects s
                                    join lethe_keys.suppressed x using (subject_type, subject_digest)
                                   where s.key_id = $1)
                     then null else wrapped end as wrapped
           from lethe_keys.data_keys where key_id = $1 and generation = $2`,
        [uuidText(keyId), generation],
      ),
    );
    return rows[0] ? this.#open(rows[0]) : null;
  }

  async sharedKey(use: KeyUse): Promise<Buffer> {
    return deriveSubkey(await this.#secret(sharedSecret), use);
  }

  /** What a subject is looked up by: the key store holds no id. */
  async subjectDigest(kind: SubjectKind, id: string): Promise<Buffer> {
    return digestOfSubject(await this.#secret(indexSecret), kind, id);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #secret(name: string): Promise<Buffer> {
    const known = this.#secrets.get(name);
    if (known) return known;
    const [row] = await this.#readWrapped(() =>
      this.#query<{ wrapped: Buffer }>('select wrapped from lethe_keys.secrets where name = $1', [name]),
    );
    if (!row) throw notSetUp();
    const secret = unwrapKey(this.#ring.keyOf(epochOfWrapped(row.wrapped)), row.wrapped, name, 0);
    this.#secrets.set(name, secret);
    return secret;
  }

  /** Latest keys of subjects; those who never had one get one. Two processes that do so at once end with the same key. */
  async #load(kind: SubjectKind, ids: readonly string[]): Promise<(SubjectKey | null)[]> {
    const index = await this.#secret(indexSecret);
    const digests = ids.map((id) => digestOfSubject(index, kind, id));
    const names = digests.map((d) => d.toString('latin1'));
    let rows = await this.#latestByName(kind, digests);
    for (let attempt = 1; rows.size < digests.length; attempt++) {
      let fresh = digests.filter((_, i) => !rows.has(names[i]!));
      // Who is suppressed gets no key.
      if (attempt > 1) {
        const suppressed = await this.#suppressed(kind, fresh);
        fresh = fresh.filter((d) => !suppressed.has(d.toString('latin1')));
      }
      if (fresh.length === 0) break;
      if (attempt > mostMints) throw new LetheError('KEY_STORE_UNAVAILABLE', 'the key store makes no keys');
      if (attempt > 1) await this.#ring.look();
      await this.#mint(kind, fresh);
      rows = await this.#latestByName(kind, digests);
    }
    return names.map((name) => {
      const row = rows.get(name);
      return row ? this.#open(row) : null;
    });
  }

  /** By the digests, in latin1. */
  async #latestByName(kind: SubjectKind, digests: readonly Buffer[]): Promise<ReadonlyMap<string, KeyRow>> {
    const byName = new Map<string, KeyRow>();
    for (const row of await this.#latest(kind, digests))
      byName.set(row.subject_digest.toString('latin1'), row);
    return byName;
  }

  async #latest(kind: SubjectKind, digests: readonly Buffer[]): Promise<readonly KeyRow[]> {
    return this.#readWrapped(() =>
      this.#query<KeyRow>(
        `select s.subject_digest, k.key_id, k.generation,
                case when exists (select from lethe_keys.suppressed x
                                   where x.subject_type = s.subject_type and x.subject_digest = s.subject_digest)
                     then null else k.wrapped end as wrapped
           from lethe_keys.subjects s cross join lateral (
             select key_id, generation, wrapped from lethe_keys.data_keys
              where key_id = s.key_id order by generation desc limit 1) k
          where s.subject_type = $1 and s.purpose = $2 and s.subject_digest = any($3)`,
        [kind.type, kind.purpose ?? '', digests],
      ),
    );
  }

  /** In the digests' order, so that two who mint the same do not wait for each other; nothing where the epoch was closed meanwhile. */
  async #mint({ type, purpose }: SubjectKind, digests: readonly Buffer[]): Promise<void> {
    const { epoch, key } = await this.#ring.current();
    const sorted = [...digests].sort((a, b) => a.compare(b));
    const keyIds = sorted.map(() => randomUUID());
    const wrapped = keyIds.map((id) => wrapKey(epoch, key, id, 1, randomBytes(2 * rootBytes)));
    await this.#query(
      `with open as (select epoch from lethe_keys.epochs where epoch = $6 and state = 'open' for share),
            given as (select k, d, w, n from unnest($3::uuid[], $4::bytea[], $5::bytea[]) with ordinality as t (k, d, w, n)),
            made as (
              insert into lethe_keys.subjects (subject_type, purpose, subject_digest, key_id)
              select $1, $2, d, k from given cross join open
               where not exists (select from lethe_keys.suppressed x where x.subject_type = $1 and x.subject_digest = d)
               order by n
              on conflict do nothing returning key_id)
       insert into lethe_keys.data_keys (key_id, generation, wrapped, epoch)
       select k, 1, w, epoch from given join made on made.key_id = given.k cross join open`,
      [type, purpose ?? '', keyIds, sorted, wrapped, epoch],
    );
  }

  /** Rows with the epochs' keys at hand. Between the two an epoch may have gone, and the rows been wrapped anew: they are read once more. */
  async #readWrapped<R extends { readonly wrapped: Buffer | null }>(
    read: () => Promise<{ rows: R[] }>,
  ): Promise<readonly R[]> {
    const { rows } = await read();
    if (await this.#ring.load(epochsOf(rows))) return rows;
    const again = (await read()).rows;
    await this.#ring.load(epochsOf(again));
    return again;
  }

  #open({ key_id, generation, wrapped }: Omit<KeyRow, 'subject_digest'>): SubjectKey | null {
    if (!wrapped) return null;
    const roots = unwrapKey(this.#ring.keyOf(epochOfWrapped(wrapped)), wrapped, key_id, generation);
    return new SubjectKey(uuidBytes(key_id), generation, roots);
  }

  async #query<R extends object = never>(text: string, values: unknown[] = []): Promise<{ rows: R[] }> {
    try {
      return await this.#pool.query<R>(text, values);
    } catch (cause) {
      throw keyStoreError(cause);
    }
  }
}

function epochsOf(rows: readonly { readonly wrapped: Buffer | null }[]): Set<number> {
  const epochs = new Set<number>();
  for (const { wrapped } of rows) if (wrapped) epochs.add(epochOfWrapped(wrapped));
  return epochs;
}
