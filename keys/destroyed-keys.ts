import { keyStoreBehind } from './audit/anchor.ts';
import type { Query } from './epoch-ring.ts';

/** What was forgotten since somebody looked. */
export interface ForgottenKeys {
  /** Ids of keys that were destroyed, or whose subjects are suppressed. */
  readonly keyIds: ReadonlySet<string>;
  /** Digests of subjects that were suppressed, with or without a key, in latin1. */
  readonly suppressed: ReadonlySet<string>;
}

interface Look {
  readonly now: string;
  readonly gone: string[];
  readonly suppressed: Buffer[];
  /** The newest entry of the audit; null where there is none. */
  readonly seq: string | null;
  readonly head: Buffer | null;
  /** What stands now where the newest one stood at the look before. */
  readonly before: Buffer | null;
}

/** Of the audit, by its number. */
interface Entry {
  readonly seq: string;
  readonly hash: Buffer;
}

const none: ForgottenKeys = { keyIds: new Set(), suppressed: new Set() };

/**
 * Looks whose keys may not be used any more, at most once in each lease. Two who ask at once share a look. A key store that was put back to an
 * older state meanwhile has forgotten whom it forgot: then no key may be used.
 */
export class DestroyedKeys {
  readonly #query: Query;
  readonly #leaseMs: number;
  readonly #now: () => number;
  #lookedMs = -Infinity;
  /** The key store's clock at the last look. */
  #since: string | null = null;
  /** The newest entry of the audit at the last look. */
  #seen: Entry | undefined;
  #looking: Promise<ForgottenKeys> | undefined;

  constructor(query: Query, leaseMs: number, now: () => number) {
    this.#query = query;
    this.#leaseMs = leaseMs;
    this.#now = now;
  }

  /**
   * What was forgotten since the look before, and in the minute before that; nothing within a lease. Fails as the key store does, or with
   * KEY_STORE_INVALID where it went back, and then no key may be used.
   */
  async sinceLastLook(): Promise<ForgottenKeys> {
    if (this.#now() - this.#lookedMs < this.#leaseMs) return none;
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  /**
   * A minute back each time: a key is destroyed at the time that its transaction writes down, and seen when that commits, which it does
   * within half a minute or not at all; and one that was being read meanwhile may come into the cache after a look.
   */
  async #look(): Promise<ForgottenKeys> {
    const began = this.#now();
    const { rows } = await this.#query<Look>(
      `with lately as (select subject_type, subject_digest from lethe_keys.suppressed
                        where suppressed_at > $1::timestamptz - interval '1 minute'),
            newest as (select seq, hash from lethe_keys.audit order by seq desc limit 1)
       select clock_timestamp()::text as now, array(select subject_digest from lately) as suppressed,
              array(select key_id::text from lethe_keys.data_keys
                     where destroyed_at > $1::timestamptz - interval '1 minute'
                    union all
                    select s.key_id::text from lately
                      join lethe_keys.subjects s using (subject_type, subject_digest)) as gone,
              (select seq::text from newest) as seq, (select hash from newest) as head,
              (select hash from lethe_keys.audit where seq = $2::bigint) as before`,
      [this.#since, this.#seen?.seq ?? null],
    );
    const { now, gone, suppressed, seq, head, before } = rows[0]!;
    if (this.#seen) expectEntry(this.#seen, before);
    this.#since = now;
    this.#lookedMs = began;
    if (seq !== null && head) this.#seen = { seq, hash: head };
    return { keyIds: new Set(gone), suppressed: new Set(suppressed.map((d) => d.toString('latin1'))) };
  }

  /** For what was read since the look: KEY_STORE_INVALID where the key store has gone back meanwhile, and then it may not be used. */
  async stillThere(): Promise<void> {
    // A look may go on beside.
    const seen = this.#seen;
    if (!seen) return;
    const { rows } = await this.#query<{ hash: Buffer }>('select hash from lethe_keys.audit where seq = $1', [
      seen.seq,
    ]);
    expectEntry(seen, rows[0]?.hash);
  }
}

function expectEntry({ seq, hash }: Entry, found: Buffer | null | undefined): void {
  if (!found?.equals(hash))
    throw keyStoreBehind(`entry ${seq} of its audit was there, and is gone or another one`);
}
