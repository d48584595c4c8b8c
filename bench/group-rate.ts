import type { Admin } from 'kafkajs';
import { groupLag } from '../pipeline/lag.ts';
import type { Child } from './child.ts';
import { poll } from './poll.ts';

export interface GroupWork {
  readonly child: Child;
  readonly groupId: string;
  readonly topic: string;
  /** Records that wait for the group. */
  readonly rows: number;
}

/**
 * Records a second of a consumer group with a full topic: from the moment its process has joined to the last offset
 * committed. Connecting, opening transactions and warming up are part of it. Ends the process.
 */
export async function groupRate(work: GroupWork, admin: Admin, signal: AbortSignal): Promise<number> {
  try {
    await work.child.joined;
    const joinedMs = performance.now();
    const what = `group ${work.groupId} to read ${work.topic}`;
    await poll(() => hasRead(work, admin), { signal, limitMs: 300_000, what, everyMs: 30 });
    return work.rows / ((performance.now() - joinedMs) / 1_000);
  } finally {
    await work.child.stop();
  }
}

/** The marker that ends the last transaction takes an offset and is no record: one may be left. */
export async function hasRead(work: Pick<GroupWork, 'groupId' | 'topic'>, admin: Admin): Promise<boolean> {
  const lags = await groupLag(admin, work.groupId, [work.topic]);
  return lags.every(({ committed, lag }) => lag === 0n || (committed !== undefined && lag === 1n));
}
