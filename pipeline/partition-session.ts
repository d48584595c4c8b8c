import type { Admin } from 'kafkajs';
import type { BrokerConnections } from './broker-connections.ts';
import { CommittedReader } from './committed-reader.ts';
import { kafkaError } from './kafka.ts';
import { ParkedRecords, type ParkedScope } from './parked-records.ts';
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
  readonly parking?: { readonly scope: ParkedScope; readonly most: number };
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
      const parked = scope.parking && (await restore(scope.connect(), scope.parking));
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

/** What waits, from its topic: whoever parked or released a record before is fenced by now. */
async function restore(
  connections: BrokerConnections,
  { scope, most }: NonNullable<SessionScope['parking']>,
): Promise<ParkedRecords> {
  const reader = new CommittedReader(connections);
  const found = new Map<string, Buffer>();
  try {
    await scope.cipher.load([scope.table]);
    await reader.readAll(scope.topic, scope.partition, ({ key, value }) => {
      if (value) found.set(key, value);
      else found.delete(key);
    });
  } finally {
    await reader.close();
  }
  const parked = new ParkedRecords(scope, most);
  const inOrder = [...found].sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
  for (const [offset, sealed] of inOrder) parked.restore(offset, sealed);
  return parked;
}
