import { setTimeout as sleep } from 'node:timers/promises';
import { isRetriable, LetheError } from '../schemas/errors.ts';
import { PartitionSession, type SessionScope } from './partition-session.ts';
import { backoffMs } from './retry.ts';

/** Each is lost only where a running process takes the partition back before the commit. */
const mostAttempts = 10;

/**
 * Commits something in the place of the process that works on an input partition: that process is fenced, does again what it was at, and finds in
 * its next session what was committed here. `work` commits once, and leaves the offset where it is; it is called again where somebody else
 * opened the partition meanwhile, or a broker failed. Fails with what the last attempt failed of.
 */
export async function inPartition<T>(
  scope: SessionScope,
  work: (session: PartitionSession) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const session = await PartitionSession.open(scope);
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    } catch (error) {
      if (!(error instanceof LetheError && isRetriable(error.code)) || attempt === mostAttempts) throw error;
    }
    await sleep(backoffMs(attempt, Math.random()));
  }
}
