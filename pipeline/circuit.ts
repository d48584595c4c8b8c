import { setTimeout as sleep } from 'node:timers/promises';
import { LetheError } from '../schemas/errors.ts';
import { backoffMs, type Patience } from './retry.ts';

/** Longest wait between two heartbeats of who waits. */
const mostWaitMs = 1_000;

/**
 * A circuit breaker before one server (Nygard, Release It!, "Circuit Breaker"). Closed, it lets everything through. A server that does not
 * answer opens it: then one caller at a time tries, after a pause that grows, and all others wait for what comes of it
 * instead of knocking too. The first success lets all of them through.
 */
export class Circuit {
  private failures = 0;
  private retryAt = 0;
  private probing = false;
  private closed = new AbortController();
  private readonly now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  get isOpen(): boolean {
    return this.failures > 0;
  }

  /** Does the work when it is its turn; fails as it does. What `whileWaiting` throws, and an abort, end the waiting. */
  async run<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
    const isProbe = await this.turn(patience);
    try {
      const result = await work();
      this.close();
      return result;
    } catch (error) {
      if (error instanceof LetheError && error.code === 'UNREACHABLE') this.open(isProbe, patience);
      // Whatever else it says, the server has said something.
      else if (error instanceof LetheError) this.close();
      throw error;
    } finally {
      if (isProbe) this.probing = false;
    }
  }

  /** Resolves when the caller may knock: true if it is the one that tries an open circuit. */
  private async turn({ signal, whileWaiting }: Patience): Promise<boolean> {
    while (this.isOpen) {
      const waitMs = this.retryAt - this.now();
      if (waitMs <= 0 && !this.probing) {
        this.probing = true;
        return true;
      }
      signal.throwIfAborted();
      await whileWaiting?.();
      const pauseMs = Math.min(mostWaitMs, this.probing || waitMs <= 0 ? mostWaitMs : waitMs);
      const either = AbortSignal.any([signal, this.closed.signal]);
      await sleep(pauseMs, undefined, { signal: either }).catch(() => undefined);
    }
    return false;
  }

  /** Calls that were under way when it opened are one failure, not many. */
  private open(isProbe: boolean, { random = Math.random }: Patience): void {
    if (this.isOpen && !isProbe) return;
    this.failures++;
    this.retryAt = this.now() + backoffMs(this.failures, random());
  }

  private close(): void {
    if (!this.isOpen) return;
    this.failures = 0;
    this.closed.abort();
    this.closed = new AbortController();
  }
}
