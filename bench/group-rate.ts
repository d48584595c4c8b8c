import type { Admin } from 'kafkajs';
import { groupLag, totalLag } from '../pipeline/lag.ts';
import type { Child } from './child.ts';
import { poll } from './poll.ts';

export interface GroupWork {
  /** The members of the group: they share the topic's partitions. */
  readonly children: readonly Child[];
  readonly groupId: string;
  readonly topic: string;
  /** Records that wait for the group. */
  readonly rows: number;
}

/**
 * Records a second of a consumer group with a full topic: from the moment its processes have joined, and of what is left by then,
 * to the last offset committed. Opening transactions and warming up are part of it. Ends the processes.
 */
export async function groupRate(work: GroupWork, admin: Admin, signal: AbortSignal): Promise<number> {
  const offsetsLeft = async () => Number(totalLag(await groupLag(admin, work.groupId, [work.topic])));
  try {
    const all = await offsetsLeft();
    await Promise.all(work.children.map((child) => child.joined));
    const joinedMs = performance.now();
    // The first of several begins before the last has joined.
    const left = work.rows * ((await offsetsLeft()) / all);
    const what = `group ${work.groupId} to read ${work.topic}`;
    await poll(() => hasRead(work, admin), { signal, limitMs: 300_000, what, everyMs: 30 });
    return left / ((performance.now() - joinedMs) / 1_000);
  } finally {
    await Promise.all(work.children.map((child) => child.stop()));
  }
}

/** The marker that ends the last transaction takes an offset and is no record: one may be left. */
export async function hasRead(work: Pick<GroupWork, 'groupId' | 'topic'>, admin: Admin): Promise<boolean> {
  const lags = await groupLag(admin, work.groupId, [work.topic]);
  return lags.every(({ committed, lag }) => lag === 0n || (committed !== undefined && lag === 1n));
}
