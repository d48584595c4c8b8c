/** How many refusals of strangers are written down in a minute, each as an entry of its own. */
export const refusalsAMinute = 30;
const minuteMs = 60_000;

/**
 * Keeps whoever knocks without an end from filling the audit, which keeps everything for good and has its writers wait for each other. What
 * is left out is counted, and stands in the next entry.
 */
export class RefusalBound {
  readonly #now: () => number;
  #since = -Infinity;
  #written = 0;
  #leftOut = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** To be written down now, with so many that were left out before it; undefined: not this one. */
  next(): { readonly leftOut: number } | undefined {
    const now = this.#now();
    if (now - this.#since >= minuteMs) {
      this.#since = now;
      this.#written = 0;
    }
    if (this.#written >= refusalsAMinute) {
      this.#leftOut++;
      return undefined;
    }
    this.#written++;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return { leftOut };
  }
}
