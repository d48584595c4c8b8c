import { setTimeout as sleep } from 'node:timers/promises';
import { ResponseError } from '@platformatic/kafka';

const longestWaitMs = 30_000;

/** Answers of a coordinator that is well and will soon be ready. */
const passing = [
  // It completes the transaction before, for some milliseconds after it said that it was committed.
  'CONCURRENT_TRANSACTIONS',
  // Its topic is being made, or its partition has just moved to this broker.
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
] as const;

/** Asks again, after a pause, while the coordinator of a group or of a transaction is not ready. */
export async function whenReady<T>(request: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 100)) {
    try {
      return await request();
    } catch (error) {
      if (!isPassing(error) || performance.now() - startedMs > longestWaitMs) throw error;
    }
    await sleep(waitMs);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof ResponseError && passing.some((id) => error.findBy('apiId', id) !== null);
}
