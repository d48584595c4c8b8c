import { fetchV12, listOffsetsV6 } from '@platformatic/kafka';
import type { BrokerConnections } from './broker-connections.ts';
import { noLeader, whenReady } from './broker-patience.ts';
import { kafkaError } from './kafka.ts';

/** A committed record of one partition. */
export interface CommittedRecord {
  readonly offset: bigint;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: ReadonlyMap<string, string>;
  /** When it was written, ms since the epoch. */
  readonly timestampMs: number;
}

/** What one fetch gave of a partition: the records from the position on, and the position after them. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly CommittedRecord[];
  readonly next: bigint;
}

export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  readonly next: bigint;
}

const fullIsolation = 1;
const maxBytes = 16 * 1024 * 1024;
const partitionMaxBytes = 2 * 1024 * 1024;
const latest = -1n;
const earliest = -2n;
const control = 1 << 5;
const transactional = 1 << 4;

/**
 * Reads committed records of given partitions, without a consumer group: what is read has no owner, and joining a group
 * takes seconds. Aborted records are left out by producer and offset, in any order of the list that a fetch gives
 * (https://kafka.apache.org/protocol, KIP-98).
 */
export class CommittedReader {
  private readonly connections: BrokerConnections;

  constructor(connections: BrokerConnections) {
    this.connections = connections;
  }

  /** The offsets after the last records, committed or not, of the topics' partitions; fails with UNREACHABLE. */
  async ends(topics: readonly string[]): Promise<PartitionPosition[]> {
    return this.positions(topics, latest);
  }

  /** The offsets of the first records of the topics' partitions; fails with UNREACHABLE. */
  async starts(topics: readonly string[]): Promise<PartitionPosition[]> {
    return this.positions(topics, earliest);
  }

  /** The offsets of the first records that were written at a time (ms since the epoch) or later; the end where there is none. */
  async since(topics: readonly string[], timestampMs: number): Promise<PartitionPosition[]> {
    const [found, ends] = await Promise.all([
      this.positions(topics, BigInt(timestampMs)),
      this.positions(topics, latest),
    ]);
    return found.map((position) =>
      position.next >= 0n
        ? position
        : ends.find((end) => end.topic === position.topic && end.partition === position.partition)!,
    );
  }

  private async positions(topics: readonly string[], timestamp: bigint): Promise<PartitionPosition[]> {
    try {
      return await whenReady(() => this.listOffsets(topics, timestamp), noLeader);
    } catch (cause) {
      throw kafkaError(cause);
    }
  }

  private async listOffsets(topics: readonly string[], timestamp: bigint): Promise<PartitionPosition[]> {
    const byLeader = new Map<number, Map<string, number[]>>();
    for (const [topic, leaders] of await this.connections.leaders(topics)) {
      for (const [partition, leader] of leaders.entries()) {
        const own = byLeader.get(leader) ?? new Map<string, number[]>();
        byLeader.set(leader, own);
        own.set(topic, [...(own.get(topic) ?? []), partition]);
      }
    }
    const found = await Promise.all(
      [...byLeader].map(async ([leader, own]) => {
        const asked = [...own].map(([name, partitions]) => ({
          name,
          partitions: partitions.map((partitionIndex) => ({
            partitionIndex,
            currentLeaderEpoch: -1,
            timestamp,
          })),
        }));
        const connection = await this.connections.broker(leader);
        return (await listOffsetsV6.api.async(connection, -1, 0, asked)).topics;
      }),
    );
    return found
      .flat()
      .flatMap(({ name, partitions }) =>
        partitions.map((p) => ({ topic: name, partition: p.partitionIndex, next: p.offset })),
      );
  }

  /** One fetch from a broker that leads these partitions; waits at most so long for the first record. */
  async fetch(
    leader: number,
    positions: readonly PartitionPosition[],
    maxWaitMs: number,
  ): Promise<FetchedPartition[]> {
    try {
      const connection = await this.connections.broker(leader);
      const names = [...new Set(positions.map(({ topic }) => topic))];
      const own = (name: string) => positions.filter(({ topic }) => topic === name);
      const topics = names.map((topic) => ({
        // This version of the request knows topics by their names.
        topicId: topic,
        partitions: own(topic).map(({ partition, next }) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: next,
          lastFetchedEpoch: -1,
          partitionMaxBytes,
        })),
      }));
      const answer = await fetchV12.api.async(
        connection,
        maxWaitMs,
        1,
        maxBytes,
        fullIsolation,
        0,
        -1,
        topics,
        [],
        '',
      );
      const from = new Map(positions.map((p) => [`${p.topic}/${p.partition}`, p.next]));
      return answer.responses.flatMap(({ topicId: topic, partitions }) =>
        partitions.map((own) => committedOf(topic, own, from.get(`${topic}/${own.partitionIndex}`)!)),
      );
    } catch (cause) {
      throw kafkaError(cause);
    }
  }

  /** All committed records of one partition, from its start to where it ends now. */
  async readAll(
    topic: string,
    partition: number,
    onRecord: (record: CommittedRecord) => void,
  ): Promise<void> {
    for await (const records of this.read(topic, partition)) for (const record of records) onRecord(record);
  }

  /** The same as far as the partition's fetches go at a time, from an offset on if one is given; up to an end that was asked for. */
  async *read(
    topic: string,
    partition: number,
    from = 0n,
    to?: bigint,
  ): AsyncGenerator<readonly CommittedRecord[]> {
    const own = (positions: readonly PartitionPosition[]): bigint =>
      positions.find((p) => p.partition === partition)!.next;
    const end = to ?? own(await this.ends([topic]));
    const start = own(await this.starts([topic]));
    if (end <= start) return;
    const leader = (await this.connections.leaders([topic])).get(topic)![partition]!;
    for (let next = from > start ? from : start; next < end; ) {
      const [fetched] = await this.fetch(leader, [{ topic, partition, next }], 500);
      yield fetched!.records;
      next = fetched!.next;
    }
  }

  async close(): Promise<void> {
    await this.connections.close().catch(() => {});
  }
}

type Answer = Awaited<ReturnType<typeof fetchV12.api.async>>['responses'][number]['partitions'][number];

function committedOf(topic: string, answer: Answer, from: bigint): FetchedPartition {
  const records: CommittedRecord[] = [];
  const waiting = answer.abortedTransactions.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborted = new Set<bigint>();
  let next = from;
  for (const batch of answer.records ?? []) {
    while (waiting[0] && waiting[0].firstOffset <= batch.firstOffset)
      aborted.add(waiting.shift()!.producerId);
    next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if ((batch.attributes & control) !== 0) {
      // The end of a transaction of this producer: what comes after is of another one.
      aborted.delete(batch.producerId);
      continue;
    }
    if ((batch.attributes & transactional) !== 0 && aborted.has(batch.producerId)) continue;
    for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta);
      if (offset < from) continue;
      const named = headers.map(([name, text]) => [String(name), String(text)] as const);
      const timestampMs = Number(batch.firstTimestamp + timestampDelta);
      records.push({ offset, key: String(key), value, headers: new Map(named), timestampMs });
    }
  }
  return { topic, partition: answer.partitionIndex, records, next };
}
