import type { Consumer } from 'kafkajs';
import { createKafka } from '../pipeline/kafka.ts';
import { header } from '../schemas/record-headers.ts';
import * as names from '../schemas/names.ts';
import { AvroReader } from '../transforms/avro-reader.ts';
import type { BenchProject } from './bench-project.ts';

/** When something was seen, by the row's number; ms since the epoch. */
export type Arrivals = Map<number, number>;

/** Consumers of committed records at the end of the raw and the clean topic. */
export class TopicArrivals {
  readonly raw: Arrivals = new Map();
  readonly clean: Arrivals = new Map();
  /** When the row's transaction committed, by Postgres' own clock: it stands in the clean record. */
  readonly committed: Arrivals = new Map();
  private readonly project: BenchProject;
  private readonly first: number;
  private readonly onClean: (row: number) => void;
  private readonly consumers: Consumer[] = [];

  /** Rows below `first` are not noted; the others are told when they are in the clean topic. */
  constructor(project: BenchProject, first: number, onClean: (row: number) => void) {
    this.project = project;
    this.first = first;
    this.onClean = onClean;
  }

  async start(): Promise<void> {
    const { config, dataset } = this.project;
    const reader = new AvroReader();
    await this.follow(names.rawTopic(config, dataset.table), (key) => {
      // The key is Avro: the schema's id in five bytes, then the row's number.
      const row = Number(reader.reset(key, 5).readLong());
      if (row >= this.first) this.raw.set(row, now());
    });
    await this.follow(names.cleanTopic(config, dataset.table), (key, headers) => {
      const row = Number(key.toString());
      if (row < this.first) return;
      this.clean.set(row, now());
      this.committed.set(row, Number(headers?.[header.commitMs]));
      this.onClean(row);
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.disconnect()));
  }

  private async follow(
    topic: string,
    see: (key: Buffer, headers: Readonly<Record<string, unknown>> | undefined) => void,
  ): Promise<void> {
    const kafka = createKafka(this.project.config, 'bench');
    const consumer = kafka.consumer({
      groupId: `${topic}-bench`,
      readUncommitted: false,
      maxWaitTimeInMs: 200,
      minBytes: 1,
    });
    this.consumers.push(consumer);
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: false });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachBatch: ({ batch }) => {
        for (const { key, headers } of batch.messages) if (key) see(key, headers);
        return Promise.resolve();
      },
    });
    await joined;
  }
}

/** Wall-clock time in ms with its fraction, to stand beside Postgres' own. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
