import type { Admin } from 'kafkajs';
import { groupLag } from './lag.ts';

/** How far a group has read some topics, in time: first it is noted where they end, and later that this is passed. */
export class Backlog {
  private readonly lags: () => ReturnType<typeof groupLag>;
  private noted: { readonly ms: number; readonly ends: ReadonlyMap<string, bigint> } | undefined;

  constructor(admin: Admin, groupId: string, topics: readonly string[]) {
    this.lags = () => groupLag(admin, groupId, topics);
  }

  /**
   * A time (ms) such that the group has read all that lay in the topics before it; undefined while the last one that was noted is
   * not reached. `nowMs` is the time of the call.
   */
  async readUntil(nowMs: number): Promise<number | undefined> {
    const lags = await this.lags();
    if (lags.every(({ lag }) => lag === 0n)) {
      this.noted = undefined;
      return nowMs;
    }
    this.noted ??= {
      ms: nowMs,
      ends: new Map(lags.map(({ topic, partition, end }) => [`${topic}/${partition}`, end])),
    };
    const { ms, ends } = this.noted;
    const passed = lags.every(
      ({ topic, partition, committed = 0n, lag }) =>
        lag === 0n || committed >= ends.get(`${topic}/${partition}`)!,
    );
    if (!passed) return undefined;
    this.noted = undefined;
    return ms;
  }
}
