import type { Admin } from 'kafkajs';
import type { BrokerConnections } from './broker-connections.ts';
import { kafkaError } from './kafka.ts';
import type { ParkedRecords } from './parked-records.ts';
import { type ParkingPlace, restoreParked } from './restore-parked.ts';
import { type OutputRecord, TransactionalProducer } from './transactional-producer.ts';
import { VersionClock } from './version-clock.ts';

export interface SessionScope {
  readonly connect: () => BrokerConnections;
  readonly admin: Admin;
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly transactionalId: string;
  /** All topics that will be written to. */
  readonly output: readonly string[];
  /** Where records of the partition wait, and how many at most; undefined where none can. */
  readonly parking?: ParkingPlace;
}

/**
 * Exclusive work on one input partition, exactly once.
 *
 * No group generation comes with the offsets of its transactions, so the group alone does not fence a zombie. Here the
 * transactional id does: opening a session initialises it, which ends whatever an earlier holder had open and
 * refuses all it still sends. Only after that is the committed offset read, for an earlier read could miss a
 * commit just under way. Whoever finds itself fenced throws its session away with the batch.
 */
export class PartitionSession {
  /** Next offset to process; undefined where the group has committed none. */
  nextOffset: bigint | undefined;
  clock: VersionClock;
  readonly parked: ParkedRecords | undefined;
  private readonly producer: TransactionalProducer;
  private readonly scope: SessionScope;

  private constructor(
    scope: SessionScope,
    producer: TransactionalProducer,
    offset: string,
    state: string | null,
    parked: ParkedRecords | undefined,
  ) {
    this.scope = scope;
    this.producer = producer;
    this.nextOffset = offset === '-1' ? undefined : BigInt(offset);
    this.clock = VersionClock.from(state);
    this.parked = parked;
  }

  /** Fences earlier holders, then reads where the partition stands. */
  static async open(scope: SessionScope): Promise<PartitionSession> {
    const { transactionalId, groupId, topic, partition, output } = scope;
    const producer = await TransactionalProducer.open(scope.connect(), {
      transactionalId,
      groupId,
      topics: output,
    });
    try {
      const [committed] = await scope.admin.fetchOffsets({ groupId, topics: [topic] });
      const own = committed?.partitions.find((p) => p.partition === partition);
      const parked = scope.parking && (await restoreParked(scope.connect(), scope.parking));
      return new PartitionSession(scope, producer, own?.offset ?? '-1', own?.metadata ?? null, parked);
    } catch (cause) {
      await producer.close();
      throw kafkaError(cause);
    }
  }

  /**
   * Writes output and input offset in one transaction; on success the session stands at `nextOffset` with `clock`, which the output
   * moves on. After a failure nothing is known and the session must be closed; a new one reads what came of it.
   */
  async commit(
    output: AsyncIterable<readonly OutputRecord[]>,
    nextOffset: bigint,
    clock: VersionClock,
  ): Promise<void> {
    const { topic, partition } = this.scope;
    const offset = () => ({ topic, partition, next: nextOffset, metadata: clock.state() });
    await this.producer.commit(output, offset);
    this.nextOffset = nextOffset;
    this.clock = clock;
  }

  async close(): Promise<void> {
    await this.producer.close();
  }
}
