import { setTimeout as sleep } from 'node:timers/promises';
import { isRetriable, LetheError } from '../schemas/errors.ts';
import type { Outages } from './outage.ts';

const firstMs = 100;
const longestMs = 10_000;

/** Wait before attempt `n` (from 1): exponential, bounded, with jitter over its upper half. Pure, given `random` in [0, 1). */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 20));
  return full / 2 + (full / 2) * random;
}

export interface Patience {
  readonly outages: Outages;
  readonly signal: AbortSignal;
  /** Called before every wait: keeps a group membership alive; what it throws ends the trying. */
  readonly whileWaiting?: () => Promise<void>;
  readonly random?: () => number;
  /** Errors that are not waited for here, though they may pass: they are thrown. */
  readonly givesUp?: (error: LetheError) => boolean;
}

/**
 * Calls `work` until it succeeds, for as long as a retriable server failure lasts. Anything else, and an abort, is
 * thrown.
 */
export async function untilItWorks<T>(
  server: string,
  work: () => Promise<T>,
  patience: Patience,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await work();
      patience.outages.succeeded(server);
      return result;
    } catch (error) {
      if (!(error instanceof LetheError && isRetriable(error.code))) throw error;
      if (patience.givesUp?.(error)) throw error;
      patience.outages.failed(server, error);
    }
    patience.signal.throwIfAborted();
    await patience.whileWaiting?.();
    await sleep(backoffMs(attempt, (patience.random ?? Math.random)()), undefined, {
      signal: patience.signal,
    });
  }
}
