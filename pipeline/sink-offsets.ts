import { KeyedLock } from './keyed-lock.ts';
import { newerPosition } from './sink-position.ts';

/** What is committed for a partition: the next offset to read, and where the sink stands. */
export interface CommittedOffset {
  readonly next: bigint;
  /** A {@link SinkPosition} as text. */
  readonly metadata: string | null;
}

/** Kafka's side of it. */
export interface OffsetStore {
  /** Where the group stands, by whatever instance; -1 where it never was. */
  fetch(topic: string, partition: number): Promise<CommittedOffset>;
  write(topic: string, partition: number, offset: CommittedOffset): Promise<void>;
}

/**
 * Commits a sink's offsets. No position is lost and none goes back, whoever committed it: what is read at the end of a partition without
 * a record in it (control records, aborted ones) is committed beside the batches, and commits of one partition take turns. Otherwise
 * one that knew of no position could come to the broker after the one that brought it.
 */
export class SinkOffsets {
  private readonly store: OffsetStore;
  private readonly turns = new KeyedLock();
  /** What was last committed here for each partition, since the group was joined last. */
  private readonly committed = new Map<string, CommittedOffset>();

  constructor(store: OffsetStore) {
    this.store = store;
  }

  /** After a batch; `metadata`: its newest position. */
  async commit(topic: string, partition: number, next: bigint, metadata: string | null): Promise<void> {
    await this.turns.run(`${topic}/${partition}`, () => this.write(topic, partition, next, metadata));
  }

  /** Past offsets that hold no record; nothing where more is committed by now. */
  async pass(topic: string, partition: number, next: bigint): Promise<void> {
    await this.turns.run(`${topic}/${partition}`, async () => {
      const last = await this.last(topic, partition);
      if (last.next < next) await this.write(topic, partition, next, null);
    });
  }

  /** Another instance may have had the partitions. */
  forget(): void {
    this.committed.clear();
  }

  private async write(
    topic: string,
    partition: number,
    next: bigint,
    metadata: string | null,
  ): Promise<void> {
    const last = await this.last(topic, partition);
    const offset = { next, metadata: newerPosition(last.metadata, metadata) };
    await this.store.write(topic, partition, offset);
    this.committed.set(`${topic}/${partition}`, offset);
  }

  private async last(topic: string, partition: number): Promise<CommittedOffset> {
    const place = `${topic}/${partition}`;
    const known = this.committed.get(place) ?? (await this.store.fetch(topic, partition));
    this.committed.set(place, known);
    return known;
  }
}
