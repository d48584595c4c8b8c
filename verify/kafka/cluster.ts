import { VerifyError } from '../verify-error.ts';
import { KafkaConnection, type KafkaOptions } from './connection.ts';
import { type WireReader, WireWriter } from './wire.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What a fetch gives: bytes of record batches, and how far the partition reaches. */
export interface Fetched {
  readonly bytes: Buffer;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
}

const api = { fetch: 1, listOffsets: 2, metadata: 3, describeLogDirs: 35 } as const;
const notLeader = 6;
const unknownTopic = 3;
const leaderNotAvailable = 5;
const offsetOutOfRange = 1;
const fetchBytes = 8 << 20;

/** Reads a cluster: topics, offsets, record batches. It joins no group and writes nothing. */
export class KafkaCluster {
  readonly #options: KafkaOptions;
  readonly #connections = new Map<string, Promise<KafkaConnection>>();
  readonly #leaders = new Map<string, string>();

  constructor(options: KafkaOptions) {
    this.#options = options;
  }

  /** Every topic with its number of partitions, internal ones too. */
  async topics(): Promise<Map<string, number>> {
    const answer = await this.#metadata(null);
    return new Map(answer.topics.map((topic) => [topic.name, topic.partitions.length]));
  }

  /** The partitions of one topic; empty if there is no such topic. */
  async partitions(topic: string): Promise<TopicPartition[]> {
    const answer = await this.#metadata([topic]);
    const found = answer.topics.find((candidate) => candidate.name === topic);
    if (!found || found.error === unknownTopic) return [];
    return found.partitions
      .map(({ id }) => ({ topic, partition: id }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** Where the log of a partition starts: what lies before it was purged. */
  earliestOffset(at: TopicPartition): Promise<bigint> {
    return this.#offset(at, -2n, 0);
  }

  /** Where a reader of committed records ends. */
  lastStableOffset(at: TopicPartition): Promise<bigint> {
    return this.#offset(at, -1n, 1);
  }

  /** Whole and torn batches from `offset` on. `undefined` when the offset was purged in the meantime. */
  async fetch(at: TopicPartition, offset: bigint, isolation: 0 | 1): Promise<Fetched | undefined> {
    const body = new WireWriter().int32(-1).int32(500).int32(1).int32(fetchBytes).int8(isolation);
    body.array([at], ({ topic, partition }) => {
      body.string(topic).array([partition], (p) => body.int32(p).int64(offset).int32(fetchBytes));
    });
    return this.#onLeader(at, api.fetch, 4, body.toBuffer(), (answer) => {
      answer.int32();
      const [partitions] = answer.array(() => {
        answer.string();
        return answer.array(() => {
          answer.int32();
          const error = answer.int16();
          const highWatermark = answer.int64();
          const lastStableOffset = answer.int64();
          const aborted = answer.array(() => ({ producerId: answer.int64(), firstOffset: answer.int64() }));
          return {
            error,
            highWatermark,
            lastStableOffset,
            aborted,
            bytes: answer.bytes() ?? Buffer.alloc(0),
          };
        });
      });
      const [result] = partitions ?? [];
      if (!result) return { error: leaderNotAvailable };
      if (result.error === offsetOutOfRange) return { error: 0, value: undefined };
      return { error: result.error, value: result };
    });
  }

  /** The data directories of the brokers, as they see them. */
  async logDirs(): Promise<string[]> {
    const { brokers } = await this.#metadata([]);
    const dirs = new Set<string>();
    for (const address of brokers.values()) {
      const body = new WireWriter().int32(-1).toBuffer();
      const answer = await (await this.#connection(address)).request(api.describeLogDirs, 1, body);
      answer.int32();
      answer.array(() => {
        answer.int16();
        dirs.add(answer.string() ?? '');
        answer.array(() => {
          answer.string();
          answer.array(() => answer.slice(4 + 8 + 8 + 1));
        });
      });
    }
    return [...dirs];
  }

  async close(): Promise<void> {
    const all = await Promise.allSettled(this.#connections.values());
    for (const one of all) if (one.status === 'fulfilled') one.value.close();
    this.#connections.clear();
  }

  #offset(at: TopicPartition, which: bigint, isolation: 0 | 1): Promise<bigint> {
    const body = new WireWriter().int32(-1).int8(isolation);
    body.array([at], ({ topic, partition }) => {
      body.string(topic).array([partition], (p) => body.int32(p).int64(which));
    });
    return this.#onLeader(at, api.listOffsets, 2, body.toBuffer(), (answer) => {
      answer.int32();
      const [partitions] = answer.array(() => {
        answer.string();
        return answer.array(() => {
          answer.int32();
          const error = answer.int16();
          answer.int64();
          return { error, value: answer.int64() };
        });
      });
      return partitions?.[0] ?? { error: leaderNotAvailable };
    });
  }

  /** Asks the partition's leader, and once more after looking for a new one. */
  async #onLeader<T>(
    at: TopicPartition,
    apiKey: number,
    version: number,
    body: Buffer,
    read: (answer: WireReader) => { error: number; value?: T },
  ): Promise<T> {
    const name = `${at.topic}-${at.partition}`;
    for (let attempt = 0; ; attempt++) {
      if (!this.#leaders.has(name)) await this.#metadata([at.topic]);
      const leader = this.#leaders.get(name);
      const { error, value } = leader
        ? read(await (await this.#connection(leader)).request(apiKey, version, body))
        : { error: leaderNotAvailable };
      if (error === 0) return value as T;
      this.#leaders.delete(name);
      if (attempt > 0 || (error !== notLeader && error !== leaderNotAvailable && error !== unknownTopic)) {
        throw new VerifyError('SERVER_FAILED', `Kafka answered with error ${error} for ${name}`);
      }
    }
  }

  async #metadata(topics: readonly string[] | null): Promise<Metadata> {
    const body = new WireWriter();
    if (topics) body.array(topics, (topic) => body.string(topic));
    else body.int32(-1);
    body.int8(0);
    const answer = await (await this.#anyConnection()).request(api.metadata, 4, body.toBuffer());
    const metadata = readMetadata(answer);
    for (const topic of metadata.topics) {
      for (const { id, leader } of topic.partitions) {
        const address = metadata.brokers.get(leader);
        if (address) this.#leaders.set(`${topic.name}-${id}`, address);
      }
    }
    return metadata;
  }

  async #anyConnection(): Promise<KafkaConnection> {
    let failure: unknown;
    for (const broker of this.#options.brokers) {
      try {
        return await this.#connection(broker);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #connection(address: string): Promise<KafkaConnection> {
    let connection = this.#connections.get(address);
    if (!connection) {
      connection = KafkaConnection.open(address, this.#options);
      this.#connections.set(address, connection);
      connection.catch(() => this.#connections.delete(address));
    }
    return connection;
  }
}

interface Metadata {
  readonly brokers: ReadonlyMap<number, string>;
  readonly topics: readonly {
    readonly error: number;
    readonly name: string;
    readonly partitions: readonly { readonly id: number; readonly leader: number }[];
  }[];
}

function readMetadata(answer: WireReader): Metadata {
  answer.int32();
  const brokers = answer.array(() => {
    const id = answer.int32();
    const host = answer.string() ?? '';
    const port = answer.int32();
    answer.string();
    return [id, `${host}:${port}`] as const;
  });
  answer.string();
  answer.int32();
  const topics = answer.array(() => {
    const error = answer.int16();
    const name = answer.string() ?? '';
    answer.int8();
    const partitions = answer.array(() => {
      answer.int16();
      const id = answer.int32();
      const leader = answer.int32();
      answer.array(() => answer.int32());
      answer.array(() => answer.int32());
      return { id, leader };
    });
    return { error, name, partitions };
  });
  return { brokers: new Map(brokers), topics };
}
