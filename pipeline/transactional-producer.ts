import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  type Connection,
  endTxnV3,
  initProducerIdV4,
  type MessageRecord,
  murmur2,
  NumericMap,
  produceV9,
  txnOffsetCommitV3,
} from '@platformatic/kafka';
import type { BrokerConnections, Leaders } from './broker-connections.ts';
import { whenReady } from './broker-patience.ts';
import { kafkaError } from './kafka.ts';

/** A record to write; a null value is a tombstone. */
export interface OutputRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Where it must not follow from the key. */
  readonly partition?: number;
}

/** The input offset that is committed with the output: the next one to read. */
export interface InputOffset {
  readonly topic: string;
  readonly partition: number;
  readonly next: bigint;
  readonly metadata: string;
}

export interface ProducerScope {
  readonly transactionalId: string;
  readonly groupId: string;
  /** All that will be written to. */
  readonly topics: readonly string[];
}

interface Brokers {
  readonly connections: BrokerConnections;
  readonly coordinator: Connection;
  readonly groupCoordinator: Connection;
  readonly leaders: Leaders;
}

/** Who the producer is to the brokers; a later holder of the id has a higher epoch. */
interface Identity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

type Message = Required<Omit<MessageRecord, 'timestamp'>>;

const transactionTimeoutMs = 60_000;
const produceTimeoutMs = 30_000;
const allReplicas = -1;
const noGeneration = -1;

/**
 * Writes records and a consumer group's offset in one Kafka transaction each
 * (https://kafka.apache.org/protocol, KIP-98). It waits for a coordinator that is not ready, and tries nothing else again: whoever gets an
 * error closes it and opens another, which ends what was open under the id and fences all earlier holders.
 *
 * Made of the requests of @platformatic/kafka: kafkajs looks up coordinators four times in each transaction, sends one request after
 * the other, and takes some five times as long to encode a record.
 */
export class TransactionalProducer {
  private readonly sequences = new NumericMap();
  private readonly headers = new HeaderBytes();
  /** Partitions that the transaction under way has told its coordinator about. */
  private readonly added = new Set<string>();
  private readonly scope: ProducerScope;
  private readonly brokers: Brokers;
  private readonly identity: Identity;

  private constructor(scope: ProducerScope, brokers: Brokers, identity: Identity) {
    this.scope = scope;
    this.brokers = brokers;
    this.identity = identity;
  }

  /** When it resolves, whatever an earlier holder of the id had open is ended, and it can commit nothing any more. */
  static async open(connections: BrokerConnections, scope: ProducerScope): Promise<TransactionalProducer> {
    const { transactionalId, groupId, topics } = scope;
    try {
      const coordinator = await connections.coordinator('transaction', transactionalId);
      const identity = await whenReady(() =>
        initProducerIdV4.api.async(coordinator, transactionalId, transactionTimeoutMs, -1n, -1),
      );
      const [groupCoordinator, leaders] = await Promise.all([
        connections.coordinator('group', groupId),
        connections.leaders(topics),
      ]);
      const brokers = { connections, coordinator, groupCoordinator, leaders };
      return new TransactionalProducer(scope, brokers, identity);
    } catch (cause) {
      await connections.close().catch(() => {});
      throw kafkaError(cause);
    }
  }

  /**
   * All of the output or nothing, in its order: on success records and offset are committed; after an error, that is to
   * be found out. A part is sent while the next one is made. `offset` is asked for when there is no more output. What making
   * the output throws is thrown as it is.
   */
  async commit(output: AsyncIterable<readonly OutputRecord[]>, offset: () => InputOffset): Promise<void> {
    const offsetsAdded = handled(this.addOffsets());
    let written = handled(Promise.resolve());
    for await (const records of output) {
      written = handled(written.then(() => this.write(records)));
    }
    try {
      await Promise.all([written, offsetsAdded.then(() => this.commitOffset(offset()))]);
      const { producerId, producerEpoch } = this.identity;
      const { transactionalId } = this.scope;
      const { coordinator } = this.brokers;
      await whenReady(() =>
        endTxnV3.api.async(coordinator, transactionalId, producerId, producerEpoch, true),
      );
    } catch (cause) {
      throw kafkaError(cause);
    }
    this.added.clear();
  }

  async close(): Promise<void> {
    await this.brokers.connections.close().catch(() => {});
  }

  /** By murmur2 of the key, as Kafka's own clients do, so that a key stays in its partition whoever writes it. */
  private message({ topic, key, value, headers, partition }: OutputRecord): Message {
    const bytes = Buffer.from(key);
    return {
      topic,
      partition: partition ?? partitionOf(bytes, this.brokers.leaders.get(topic)!.length),
      key: bytes,
      // The type does not know tombstones; the format does.
      value: value as Buffer,
      headers: this.headers.of(headers),
    };
  }

  private async write(records: readonly OutputRecord[]): Promise<void> {
    const messages = records.map((record) => this.message(record));
    await this.addPartitions(messages);
    await this.produce(messages);
  }

  private async addPartitions(messages: readonly Message[]): Promise<void> {
    const partitions = new Map<string, number[]>();
    for (const { topic, partition } of messages) {
      const place = `${topic}:${partition}`;
      if (this.added.has(place)) continue;
      this.added.add(place);
      const own = partitions.get(topic);
      if (own) own.push(partition);
      else partitions.set(topic, [partition]);
    }
    if (partitions.size === 0) return;
    const topics = [...partitions].map(([name, own]) => ({ name, partitions: own }));
    const { transactionalId } = this.scope;
    const { producerId, producerEpoch } = this.identity;
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics };
    await whenReady(() => addPartitionsToTxnV3.api.async(this.brokers.coordinator, [transaction]));
  }

  private async addOffsets(): Promise<void> {
    const { transactionalId, groupId } = this.scope;
    const { producerId, producerEpoch } = this.identity;
    const { coordinator } = this.brokers;
    await whenReady(() =>
      addOffsetsToTxnV3.api.async(coordinator, transactionalId, producerId, producerEpoch, groupId),
    );
  }

  private async produce(messages: readonly Message[]): Promise<void> {
    const { connections, leaders } = this.brokers;
    const { transactionalId } = this.scope;
    const options = { ...this.identity, transactionalId, sequences: this.sequences };
    const byLeader = new Map<number, Message[]>();
    for (const message of messages) {
      const leader = leaders.get(message.topic)![message.partition]!;
      const own = byLeader.get(leader);
      if (own) own.push(message);
      else byLeader.set(leader, [message]);
    }
    await Promise.all(
      [...byLeader].map(async ([leader, own]) => {
        const connection = await connections.broker(leader);
        await produceV9.api.async(connection, allReplicas, produceTimeoutMs, own, options);
      }),
    );
    for (const { topic, partition } of messages) {
      const place = `${topic}:${partition}`;
      // An int32 that begins anew at its end.
      this.sequences.set(place, ((this.sequences.get(place) ?? 0) + 1) & 0x7fff_ffff);
    }
  }

  private async commitOffset({ topic, partition, next, metadata }: InputOffset): Promise<void> {
    const { transactionalId, groupId } = this.scope;
    const offset = {
      partitionIndex: partition,
      committedOffset: next,
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    };
    const { groupCoordinator } = this.brokers;
    const { producerId, producerEpoch } = this.identity;
    const topics = [{ name: topic, partitions: [offset] }];
    await whenReady(() =>
      txnOffsetCommitV3.api.async(
        groupCoordinator,
        transactionalId,
        groupId,
        producerId,
        producerEpoch,
        noGeneration,
        '',
        null,
        topics,
      ),
    );
  }
}

/** Its failure is met where it is awaited; until then it is nobody's unhandled rejection. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Kafka's default: https://kafka.apache.org/documentation/#producerconfigs_partitioner.class */
export function partitionOf(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions;
}

/** Headers as bytes. Names are few, and most values are those of the record before: they are made once. */
class HeaderBytes {
  private readonly last = new Map<string, { name: Buffer; text: string; value: Buffer }>();

  of(headers: Readonly<Record<string, string>>): Map<Buffer, Buffer> {
    const bytes = new Map<Buffer, Buffer>();
    for (const name in headers) {
      const text = headers[name]!;
      let known = this.last.get(name);
      if (!known) this.last.set(name, (known = { name: Buffer.from(name), text, value: Buffer.from(text) }));
      else if (known.text !== text) {
        known.text = text;
        known.value = Buffer.from(text);
      }
      bytes.set(known.name, known.value);
    }
    return bytes;
  }
}
