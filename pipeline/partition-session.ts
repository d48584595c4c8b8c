import type { Admin, Kafka, Message, Producer, Transaction } from 'kafkajs';
import { kafkaError } from './kafka.ts';
import { VersionClock } from './version-clock.ts';

export interface SessionScope {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly transactionalId: string;
}

/**
 * Exclusive work on one input partition, exactly once.
 *
 * kafkajs sends no group generation with transactional offsets, so the group alone does not fence a zombie. Here the
 * transactional id does: opening a session initialises it, which ends whatever an earlier holder had open and
 * refuses all it still sends. Only after that is the committed offset read, for an earlier read could miss a
 * commit just under way. Whoever finds itself fenced throws its session away with the batch.
 */
export class PartitionSession {
  /** Next offset to process; undefined where the group has committed none. */
  nextOffset: bigint | undefined;
  clock: VersionClock;
  private transaction: Transaction | undefined;
  private readonly producer: Producer;
  private readonly scope: SessionScope;

  private constructor(
    scope: SessionScope,
    producer: Producer,
    transaction: Transaction,
    offset: string,
    state: string | null,
  ) {
    this.scope = scope;
    this.producer = producer;
    this.transaction = transaction;
    this.nextOffset = offset === '-1' ? undefined : BigInt(offset);
    this.clock = VersionClock.from(state);
  }

  /** Fences earlier holders, then reads where the partition stands. */
  static async open(scope: SessionScope): Promise<PartitionSession> {
    const producer = scope.kafka.producer({
      transactionalId: scope.transactionalId,
      maxInFlightRequests: 1,
      transactionTimeout: 60_000,
      retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 8 },
    });
    try {
      await producer.connect();
      const transaction = await producer.transaction();
      const [committed] = await scope.admin.fetchOffsets({ groupId: scope.groupId, topics: [scope.topic] });
      const own = committed?.partitions.find((p) => p.partition === scope.partition);
      return new PartitionSession(scope, producer, transaction, own?.offset ?? '-1', own?.metadata ?? null);
    } catch (cause) {
      await producer.disconnect().catch(() => {});
      throw kafkaError(cause);
    }
  }

  /**
   * Writes output and input offset in one transaction; on success the session stands at `nextOffset` with `clock`.
   * After a failure nothing is known and the session must be closed; a new one reads what came of it.
   */
  async commit(
    output: { topic: string; messages: Message[] }[],
    nextOffset: bigint,
    clock: VersionClock,
  ): Promise<void> {
    try {
      const transaction = this.transaction ?? (await this.producer.transaction());
      this.transaction = undefined;
      const topicMessages = output.filter((t) => t.messages.length > 0);
      if (topicMessages.length > 0) await transaction.sendBatch({ topicMessages, acks: -1 });
      const { topic, partition, groupId } = this.scope;
      const offset = { partition, offset: String(nextOffset), metadata: clock.state() };
      await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions: [offset] }] });
      await transaction.commit();
    } catch (cause) {
      throw kafkaError(cause);
    }
    this.nextOffset = nextOffset;
    this.clock = clock;
  }

  async close(): Promise<void> {
    await this.producer.disconnect().catch(() => {});
  }
}
