import type { Query } from './epoch-ring.ts';

const none: ReadonlySet<string> = new Set();

/** Looks which keys were destroyed, at most once in each lease. Two who ask at once share a look. */
export class DestroyedKeys {
  readonly #query: Query;
  readonly #leaseMs: number;
  readonly #now: () => number;
  #lookedMs = -Infinity;
  /** The key store's clock at the last look. */
  #since: string | null = null;
  #looking: Promise<ReadonlySet<string>> | undefined;

  constructor(query: Query, leaseMs: number, now: () => number) {
    this.#query = query;
    this.#leaseMs = leaseMs;
    this.#now = now;
  }

  /**
   * Ids of keys that were destroyed since the look before, and in the minute before that; none within a lease. Fails as the key store
   * does, and then no key may be used.
   */
  async sinceLastLook(): Promise<ReadonlySet<string>> {
    if (this.#now() - this.#lookedMs < this.#leaseMs) return none;
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  /**
   * A minute back each time: a key is destroyed at the time that its transaction writes down, and seen when that commits, which it does
   * within half a minute or not at all; and one that was being read meanwhile may come into the cache after a look.
   */
  async #look(): Promise<ReadonlySet<string>> {
    const began = this.#now();
    const { rows } = await this.#query<{ now: string; gone: string[] }>(
      `select clock_timestamp()::text as now,
              array(select key_id::text from lethe_keys.data_keys
                     where destroyed_at > $1::timestamptz - interval '1 minute') as gone`,
      [this.#since],
    );
    this.#since = rows[0]!.now;
    this.#lookedMs = began;
    return new Set(rows[0]!.gone);
  }
}
