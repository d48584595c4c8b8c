import type { Consumer } from 'kafkajs';

/**
 * Offsets that hold only control records or aborted ones never reach eachBatch, so a group's committed offset would
 * stay short of the end for ever. This collects them from kafkajs' events and hands them on, at intervals, to be
 * committed, so that "lag 0" means "everything read".
 */
export class IdleOffsets {
  private readonly waiting = new Map<string, { topic: string; partition: number; next: bigint }>();
  private readonly commit: (topic: string, partition: number, next: bigint) => Promise<void>;
  private timer: NodeJS.Timeout | undefined;
  private passing: Promise<void> | undefined;

  constructor(consumer: Consumer, commit: (topic: string, partition: number, next: bigint) => Promise<void>) {
    this.commit = commit;
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, batchSize, lastOffset } = payload;
      const place = `${topic}/${partition}`;
      if (batchSize === 0) this.waiting.set(place, { topic, partition, next: BigInt(lastOffset) + 1n });
      else this.waiting.delete(place);
    });
    consumer.on(consumer.events.GROUP_JOIN, () => this.waiting.clear());
  }

  /** `mayCommit`: whether partitions that this member had are surely its own still. */
  start(everyMs: number, mayCommit: () => boolean = () => true): void {
    this.timer = setInterval(() => {
      if (mayCommit()) this.passing ??= this.pass().finally(() => (this.passing = undefined));
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.waiting.clear();
  }

  private async pass(): Promise<void> {
    // As they are now: one that comes back is for the next pass.
    const due = [...this.waiting];
    for (const [place, idle] of due) {
      this.waiting.delete(place);
      // Nothing may come in this partition for long: what is not committed now must be later.
      await this.commit(idle.topic, idle.partition, idle.next).catch(() => {
        if (!this.waiting.has(place)) this.waiting.set(place, idle);
      });
    }
  }
}
