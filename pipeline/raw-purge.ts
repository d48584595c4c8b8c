import type { Admin, Kafka, Producer } from 'kafkajs';
import { kafkaError } from './kafka.ts';
import type { Log } from './log.ts';
import type { Outages } from './outage.ts';

/** Header of a record that only makes Kafka start a new segment; the transform skips it like a tombstone. */
export const rollHeader = 'lethe-roll';

interface Mark {
  /** Everything below is committed. */
  offset: bigint;
  purged: bigint;
  /** When the partition last moved, ms; it is rolled once it has been idle for a segment's time. */
  movedAt: number;
  rolled: boolean;
}

/**
 * Deletes raw records after their commit. It runs beside the processing and never before the commit; what somebody left
 * behind is taken up by who has the partition next, whether or not anything comes there.
 *
 * deleteRecords only moves the log's start: the bytes go with their segment, and the active segment stays. So an
 * idle partition gets one empty record after the segment's time, which starts a new segment and frees the old one.
 */
export class RawPurge {
  private readonly admin: Admin;
  private readonly producer: Producer;
  private readonly segmentMs: number;
  private readonly log: Log;
  private readonly outages: Outages;
  private readonly marks = new Map<string, Map<number, Mark>>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  deleted = 0n;

  constructor(kafka: Kafka, segmentMs: number, log: Log, outages: Outages) {
    this.admin = kafka.admin();
    this.producer = kafka.producer({ allowAutoTopicCreation: false });
    this.segmentMs = segmentMs;
    this.log = log;
    this.outages = outages;
  }

  async start(everyMs = 1_000): Promise<void> {
    await Promise.all([this.admin.connect(), this.producer.connect()]);
    this.timer = setInterval(() => {
      this.running ??= this.pass().finally(() => {
        this.running = undefined;
      });
    }, everyMs);
  }

  /** Everything of the partition below `offset` is committed. */
  committed(topic: string, partition: number, offset: bigint, onlyRoll: boolean): void {
    const partitions = this.marks.get(topic) ?? new Map<number, Mark>();
    this.marks.set(topic, partitions);
    const mark = partitions.get(partition) ?? { offset: 0n, purged: 0n, movedAt: 0, rolled: false };
    partitions.set(partition, mark);
    if (offset <= mark.offset) return;
    mark.offset = offset;
    mark.movedAt = Date.now();
    // The roll's own record must not call for another one.
    if (!onlyRoll) mark.rolled = false;
  }

  /** The partition is somebody else's now. */
  forget(topic: string): void {
    this.marks.delete(topic);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
    await this.pass();
    await Promise.all([this.admin.disconnect(), this.producer.disconnect()]).catch(() => {});
  }

  private async pass(): Promise<void> {
    for (const [topic, partitions] of this.marks) {
      try {
        await this.purge(topic, partitions);
        await this.roll(topic, partitions);
        this.outages.succeeded('kafka (purge)');
      } catch (cause) {
        this.outages.failed('kafka (purge)', kafkaError(cause));
      }
    }
  }

  private async purge(topic: string, partitions: Map<number, Mark>): Promise<void> {
    const due = [...partitions].filter(([, m]) => m.offset > m.purged);
    if (due.length === 0) return;
    const wanted = due.map(([partition, m]) => ({ partition, offset: String(m.offset) }));
    // kafkajs looks up the leaders in metadata that only this call loads.
    await this.admin.fetchTopicOffsets(topic);
    await this.admin.deleteTopicRecords({ topic, partitions: wanted });
    for (const { partition, offset } of wanted) {
      const mark = partitions.get(partition)!;
      this.deleted += BigInt(offset) - mark.purged;
      mark.purged = BigInt(offset);
    }
    this.log.debug({ topic, partitions: due.length }, 'purged raw records');
  }

  private async roll(topic: string, partitions: Map<number, Mark>): Promise<void> {
    const idleSince = Date.now() - this.segmentMs;
    const due = [...partitions].filter(([, m]) => !m.rolled && m.movedAt > 0 && m.movedAt < idleSince);
    if (due.length === 0) return;
    // Before it is sent: what is committed meanwhile stands in the segment that follows, and calls for another one.
    for (const [, mark] of due) mark.rolled = true;
    try {
      await this.producer.send({
        topic,
        messages: due.map(([partition]) => ({
          partition,
          key: null,
          value: null,
          headers: { [rollHeader]: '1' },
        })),
      });
    } catch (cause) {
      for (const [, mark] of due) mark.rolled = false;
      throw cause;
    }
  }
}
