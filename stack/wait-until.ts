import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks `condition` every `everyMs` until it gives something else than undefined, and answers with that.
 * Answers undefined after `limitMs`. Never asks twice at once.
 */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined> | T | undefined,
  limitMs: number,
  everyMs = 50,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await condition();
    if (found !== undefined) return found;
    if (performance.now() >= deadline) return undefined;
    await delay(everyMs, undefined, signal === undefined ? {} : { signal });
  }
}
