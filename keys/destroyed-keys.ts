import type { Query } from './epoch-ring.ts';

/** What was forgotten since somebody looked. */
export interface ForgottenKeys {
  /** Ids of keys that were destroyed, or whose subjects are suppressed. */
  readonly keyIds: ReadonlySet<string>;
  /** Digests of subjects that were suppressed, with or without a key, in latin1. */
  readonly suppressed: ReadonlySet<string>;
}

const none: ForgottenKeys = { keyIds: new Set(), suppressed: new Set() };

/** Looks whose keys may not be used any more, at most once in each lease. Two who ask at once share a look. */
export class DestroyedKeys {
  readonly #query: Query;
  readonly #leaseMs: number;
  readonly #now: () => number;
  #lookedMs = -Infinity;
  /** The key store's clock at the last look. */
  #since: string | null = null;
  #looking: Promise<ForgottenKeys> | undefined;

  constructor(query: Query, leaseMs: number, now: () => number) {
    this.#query = query;
    this.#leaseMs = leaseMs;
    this.#now = now;
  }

  /**
   * What was forgotten since the look before, and in the minute before that; nothing within a lease. Fails as the key store does, and
   * then no key may be used.
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
    const { rows } = await this.#query<{ now: string; gone: string[]; suppressed: Buffer[] }>(
      `with lately as (select subject_type, subject_digest from lethe_keys.suppressed
                        where suppressed_at > $1::timestamptz - interval '1 minute')
       select clock_timestamp()::text as now, array(select subject_digest from lately) as suppressed,
              array(select key_id::text from lethe_keys.data_keys
                     where destroyed_at > $1::timestamptz - interval '1 minute'
                    union all
                    select s.key_id::text from lately
                      join lethe_keys.subjects s using (subject_type, subject_digest)) as gone`,
      [this.#since],
    );
    this.#since = rows[0]!.now;
    this.#lookedMs = began;
    const { gone, suppressed } = rows[0]!;
    return { keyIds: new Set(gone), suppressed: new Set(suppressed.map((d) => d.toString('latin1'))) };
  }
}
