/**
 * Holds at most `limit` entries, none for longer than `maxAgeMs`: in two halves, of which the older goes as a whole when the younger is full or has
 * had its half of the time. A look changes nothing: an order of use that is kept costs more than what is looked up, where there are a hundred
 * thousand of them.
 */
export class AgeingCache<K, V> {
  readonly #half: number;
  readonly #halfMs: number;
  readonly #now: () => number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  #sinceMs: number;

  constructor(limit: number, maxAgeMs: number, now: () => number) {
    this.#half = Math.max(1, Math.floor(limit / 2));
    this.#halfMs = maxAgeMs / 2;
    this.#now = now;
    this.#sinceMs = now();
  }

  /** To be called before looks that belong together: what is too old is not found any more. */
  age(): void {
    const aged = this.#now() - this.#sinceMs;
    if (aged < this.#halfMs) return;
    // Of one that nobody has looked at for the whole time nothing is left.
    this.#turn();
    if (aged >= 2 * this.#halfMs) this.#old = new Map();
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) this.#turn();
    this.#young.set(key, value);
  }

  /** Forgets every entry that fulfils the condition. */
  forget(condition: (value: V) => boolean): void {
    for (const half of [this.#young, this.#old])
      for (const [key, value] of half) if (condition(value)) half.delete(key);
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#sinceMs = this.#now();
  }
}
