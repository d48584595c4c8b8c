import type { Pool } from 'pg';
import { keyStoreError } from '../keys/key-store-error.ts';

/** A record of a clean topic. */
export interface SubjectRecord {
  /** `schema.table`. */
  readonly table: string;
  /** Canonical key of the clean record. */
  readonly key: string;
}

interface Entry {
  readonly key: string;
  readonly version: string;
  readonly subjectId: string | null;
  readonly isGone: boolean;
}

/** Longer than Kafka takes to compact a clean topic (`max.compaction.lag.ms`): until then what a delete replaced lies there. */
const goneFor = '3 days';

/** Gives the digest that a subject is found by. */
export type DigestOf = (kind: { readonly type: string }, id: string) => Promise<Buffer>;

/** Files requests for persons whose own rows were deleted. */
export type OnEnded = (kind: { readonly type: string }, ids: readonly string[]) => Promise<void>;

/**
 * Which records are whose. The transform notes it before it commits them, so that the index has every record that a topic has, and perhaps
 * one more. A record that changes its subject is the newer one's; so a zombie, whose version is older, takes nobody's record away.
 */
export class PostgresSubjectIndex {
  readonly #pool: Pick<Pool, 'query' | 'end'>;
  readonly #digestOf: DigestOf;
  readonly #onEnded: OnEnded;

  constructor(pool: Pick<Pool, 'query' | 'end'>, digestOf: DigestOf, onEnded: OnEnded) {
    this.#pool = pool;
    this.#digestOf = digestOf;
    this.#onEnded = onEnded;
  }

  /** The persons' own rows were deleted, which starts their erasure. Durable when it returns. */
  ended(kind: { readonly type: string }, ids: readonly string[]): Promise<void> {
    return this.#onEnded(kind, ids);
  }

  /** Durable when it returns; KEY_STORE_UNAVAILABLE where nobody answers, and then none of the records may be committed. */
  async note(table: string, kind: { readonly type: string }, entries: readonly Entry[]): Promise<void> {
    // Of a row that changes several times in a batch the last word counts.
    const last = new Map(entries.map((entry) => [entry.key, entry]));
    const digests = new Map<string, Buffer>();
    const owned: [string, string, Buffer][] = [];
    const gone: [string, string][] = [];
    const nobodys: [string, string][] = [];
    for (const { key, version, subjectId, isGone } of last.values()) {
      if (subjectId === null) {
        (isGone ? gone : nobodys).push([key, version]);
        continue;
      }
      const digest = digests.get(subjectId) ?? (await this.#digestOf(kind, subjectId));
      digests.set(subjectId, digest);
      owned.push([key, version, digest]);
    }
    if (owned.length > 0) await this.#own(table, kind.type, owned);
    if (gone.length > 0) await this.#markGone(table, gone);
    if (nobodys.length > 0) await this.#drop(table, nobodys);
  }

  /** Only what is not there yet is written: most changes leave a record whose it is. In the keys' order, so that two do not wait for each other. */
  async #own(table: string, type: string, entries: [string, string, Buffer][]): Promise<void> {
    await this.#query(
      `insert into lethe_erasure.records as r (dataset, record_key, subject_type, subject_digest, version)
       select $1, k, $2, d, v from unnest($3::text[], $4::text[], $5::bytea[]) as g (k, v, d)
        where not exists (select from lethe_erasure.records o
                           where o.dataset = $1 and o.record_key = k and o.subject_type = $2 and o.subject_digest = d
                             and o.gone_at is null)
        order by k
       on conflict (dataset, record_key) do update
          set subject_type = excluded.subject_type, subject_digest = excluded.subject_digest, version = excluded.version,
              gone_at = null
        where r.version < excluded.version`,
      [table, type, ...columnsOf(entries)],
    );
  }

  /** It stays the person's for as long as something of it may lie in the topic. */
  async #markGone(table: string, entries: [string, string][]): Promise<void> {
    await this.#query(
      `update lethe_erasure.records r set gone_at = clock_timestamp(), version = v
         from unnest($2::text[], $3::text[]) as g (k, v)
        where r.dataset = $1 and r.record_key = k and r.version <= v and r.gone_at is null`,
      [table, ...columnsOf(entries)],
    );
    await this.#query(
      `delete from lethe_erasure.records where gone_at < clock_timestamp() - interval '${goneFor}'`,
      [],
    );
  }

  async #drop(table: string, entries: [string, string][]): Promise<void> {
    await this.#query(
      `delete from lethe_erasure.records r using unnest($2::text[], $3::text[]) as g (k, v)
        where r.dataset = $1 and r.record_key = k and r.version <= v`,
      [table, ...columnsOf(entries)],
    );
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #query(text: string, values: unknown[]): Promise<void> {
    try {
      await this.#pool.query(text, values);
    } catch (cause) {
      throw keyStoreError(cause);
    }
  }
}

/**
 * Records of a subject, in the order of tables and keys. `also`: those that were deleted lately, whose older states a topic may still have.
 */
export async function recordsOf(
  client: Pick<Pool, 'query'>,
  type: string,
  digest: Buffer,
  also: 'gone' | 'none' = 'none',
): Promise<SubjectRecord[]> {
  const { rows } = await client.query<SubjectRecord>(
    `select dataset as table, record_key as key from lethe_erasure.records
      where subject_type = $1 and subject_digest = $2${also === 'gone' ? '' : ' and gone_at is null'}
      order by dataset, record_key`,
    [type, digest],
  );
  return rows;
}

function columnsOf(rows: readonly (readonly unknown[])[]): unknown[][] {
  return rows[0]!.map((_, i) => rows.map((row) => row[i]));
}
