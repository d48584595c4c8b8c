import { setTimeout as sleep } from 'node:timers/promises';

/** The traffic was stopped: thrown where the next transaction would begin. */
export class Stopped extends Error {}

/** At most this much is caught up after a hold-up: a source that was blocked is not flooded when it returns. */
const catchUpMs = 1_000;

/** Hands out the turns of all lanes, evenly spaced. */
export class Pacer {
  readonly #intervalMs: number;
  readonly #stop = new AbortController();
  #nextMs = performance.now();

  constructor(transactionsPerSecond: number) {
    this.#intervalMs = 1_000 / transactionsPerSecond;
  }

  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Waits for the next turn; throws {@link Stopped} once there are no more. */
  async turn(): Promise<void> {
    const now = performance.now();
    const mineMs = Math.max(this.#nextMs, now - catchUpMs);
    this.#nextMs = mineMs + this.#intervalMs;
    if (mineMs > now) await sleep(mineMs - now, undefined, { signal: this.stopped }).catch(() => undefined);
    if (this.stopped.aborted) throw new Stopped();
  }
}
