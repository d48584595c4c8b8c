import { LetheError } from '../schemas/errors.ts';

/** Lends a signal that SIGINT and SIGTERM abort, so that what was begun is left in order. PLAN_REFUSED if one of them came. */
export async function untilStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(
      new LetheError('PLAN_REFUSED', 'stopped before it was done', { fix: 'Run it again: it goes on.' }),
    );
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    return await work(stopping.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
