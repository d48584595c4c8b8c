import { setTimeout as sleep } from 'node:timers/promises';
import { ResponseError } from '@platformatic/kafka';

const longestWaitMs = 30_000;

/** Answers of a coordinator that is well and will soon be ready. */
const notReady = [
  // It completes the transaction before, for some milliseconds after it said that it was committed.
  'CONCURRENT_TRANSACTIONS',
  // Its topic is being made, or its partition has just moved to this broker.
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
] as const;

/** Answers for a partition that was made or moved a moment ago: who leads it, the request must ask anew. */
export const noLeader = ['NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE'] as const;

/** Asks again, after a pause, while the coordinator of a group or of a transaction is not ready, or what else the answers say will pass. */
export async function whenReady<T>(
  request: () => Promise<T>,
  passing: readonly string[] = notReady,
): Promise<T> {
  const startedMs = performance.now();
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 100)) {
    try {
      return await request();
    } catch (error) {
      if (!isOneOf(passing, error) || performance.now() - startedMs > longestWaitMs) throw error;
    }
    await sleep(waitMs);
  }
}

function isOneOf(answers: readonly string[], error: unknown): boolean {
  return error instanceof ResponseError && answers.some((id) => error.findBy('apiId', id) !== null);
}
