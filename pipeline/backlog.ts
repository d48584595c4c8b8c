import type { Admin } from 'kafkajs';
import { groupLag } from './lag.ts';

/** Whether a group has read what lay in some topics: first it notes where they end, then it says when that is passed. */
export class Backlog {
  private readonly admin: Admin;
  private readonly groupId: string;
  private readonly topics: readonly string[];
  private ends: ReadonlyMap<string, bigint> | undefined;

  constructor(admin: Admin, groupId: string, topics: readonly string[]) {
    this.admin = admin;
    this.groupId = groupId;
    this.topics = topics;
  }

  /** Is everything read that lay there when it was asked first, after the last yes? */
  async isRead(): Promise<boolean> {
    const lags = await groupLag(this.admin, this.groupId, this.topics);
    const read = lags.every(({ topic, partition, committed, lag }) => {
      if (lag === 0n) return true;
      const end = this.ends?.get(`${topic}/${partition}`);
      return end !== undefined && committed !== undefined && committed >= end;
    });
    if (read) this.ends = undefined;
    else {
      this.ends ??= new Map(lags.map(({ topic, partition, end }) => [`${topic}/${partition}`, end]));
    }
    return read;
  }
}
