import { setTimeout as sleep } from 'node:timers/promises';
import { LetheError } from '../schemas/errors.ts';

export interface PollOptions {
  readonly signal: AbortSignal;
  readonly limitMs: number;
  /** What is waited for, for the message when it does not come; read only then. */
  readonly what: string;
  readonly everyMs?: number;
}

/** Asks again and again until the answer is true. */
export async function poll(done: () => Promise<boolean>, options: PollOptions): Promise<void> {
  const { signal, limitMs, everyMs = 50 } = options;
  const deadline = performance.now() + limitMs;
  while (!(await done())) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new LetheError('SERVER_FAILED', `waited ${limitMs / 1000} s in vain for ${options.what}`, {
        fix: 'Look at the logs of the processes, which are kept when the benchmark fails.',
      });
    }
    await sleep(everyMs, undefined, { signal });
  }
}
