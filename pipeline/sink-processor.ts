import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage, Message, Producer } from 'kafkajs';
import type { Dataset } from '../schemas/dataset.ts';
import { type ErrorCode, LetheError } from '../schemas/errors.ts';
import { isOfRecord } from '../schemas/playbooks.ts';
import { formatLsn, positionOf } from '../schemas/version.ts';
import { CleanReader, type RowDecoder } from './clean-reader.ts';
import { type AppliedHistory, ContractRule } from './contract-rule.ts';
import { Circuit } from './circuit.ts';
import type { Counters } from './counters.ts';
import { deadLetter, type PayloadSealer } from './dead-letters.ts';
import { haltedMs, isHalted } from './halted-table.ts';
import { startLasting } from './lasting-consumer.ts';
import { IdleOffsets } from './idle-offsets.ts';
import { kafkaError, tellFetches } from './kafka.ts';
import type { Log } from './log.ts';
import type { Outages } from './outage.ts';
import { type Patience, untilItWorks } from './retry.ts';
import type { CleanChange, Sink, Verdict } from './sink.ts';
import { type OffsetStore, SinkOffsets } from './sink-offsets.ts';
import { formatSinkPosition } from './sink-position.ts';
import { type BatchLimits, WriteBatcher } from './write-batcher.ts';

export interface SinkRoute {
  readonly dataset: Dataset;
  readonly cleanTopic: string;
  readonly deadLetterTopic: string;
}

export interface SinkProcessorParts {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly sink: Sink;
  readonly routes: readonly SinkRoute[];
  /** Says which records are this sink's to write, and where. */
  readonly history: AppliedHistory;
  readonly decoder: (id: number) => Promise<RowDecoder>;
  readonly sealer: PayloadSealer;
  readonly counters: Counters;
  readonly log: Log;
  readonly outages: Outages;
  readonly limits: BatchLimits;
}

/** Well within the group's session. */
const heartbeatMs = 3_000;

/** A message and what became of it on the way. */
interface Item {
  readonly message: KafkaMessage;
  change: CleanChange | undefined;
  /** Its row is read again under the contract of today: nothing is written. */
  left: boolean;
  /** Why it goes to the dead letters. */
  rejected: ErrorCode | undefined;
  /** Why it must be written again. */
  retry: ErrorCode | undefined;
}

/**
 * Reads clean topics (committed records only) and writes them to one store. At-least-once: the offset moves after every
 * change is written, stale or dead-lettered; the store's versions make a repetition harmless.
 */
export class SinkProcessor {
  private readonly parts: SinkProcessorParts;
  private readonly routes: ReadonlyMap<string, SinkRoute>;
  private readonly rules: ReadonlyMap<string, ContractRule>;
  private readonly batchers: ReadonlyMap<string, WriteBatcher>;
  private readonly reader: CleanReader;
  private readonly consumer: Consumer;
  private readonly producer: Producer;
  private readonly admin: Admin;
  private readonly stopping = new AbortController();
  private readonly circuit = new Circuit();
  private readonly idle: IdleOffsets;
  private readonly offsets: SinkOffsets;

  constructor(parts: SinkProcessorParts) {
    // Every partition may wait on it at once.
    setMaxListeners(0, this.stopping.signal);
    this.parts = parts;
    this.routes = new Map(parts.routes.map((r) => [r.cleanTopic, r]));
    this.rules = new Map(
      parts.routes.map(({ cleanTopic, dataset }) => [cleanTopic, new ContractRule(dataset, parts.history)]),
    );
    this.batchers = new Map(
      parts.routes.map(({ cleanTopic, dataset }) => {
        const write = (changes: readonly CleanChange[]) =>
          parts.sink.write(dataset, changes, this.rules.get(cleanTopic)!.generation);
        return [cleanTopic, new WriteBatcher(write, parts.limits)];
      }),
    );
    this.reader = new CleanReader(parts.decoder);
    this.producer = parts.kafka.producer({ allowAutoTopicCreation: false });
    this.admin = parts.kafka.admin();
    this.consumer = parts.kafka.consumer({
      groupId: parts.groupId,
      readUncommitted: false,
      sessionTimeout: 30_000,
      heartbeatInterval: 2_000,
      rebalanceTimeout: 30_000,
      maxWaitTimeInMs: 200,
      minBytes: 1,
      maxBytesPerPartition: 2 * 1024 * 1024,
      maxBytes: 16 * 1024 * 1024,
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 1_000_000 },
    });
    this.offsets = new SinkOffsets(this.offsetStore);
    this.idle = new IdleOffsets(this.consumer, (topic, partition, next) =>
      this.offsets.pass(topic, partition, next),
    );
  }

  async start(): Promise<void> {
    await Promise.all([this.producer.connect(), this.admin.connect()]);
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.offsets.forget();
      const partitions = Object.values(payload.memberAssignment).reduce((n, p) => n + p.length, 0);
      this.parts.log.info({ group: payload.groupId, partitions }, 'joined the group');
    });
    tellFetches(this.consumer, this.parts.outages);
    this.idle.start(500);
    await startLasting(this.consumer, () => this.consume(), {
      log: this.parts.log,
      signal: this.stopping.signal,
    });
  }

  private async consume(): Promise<void> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [...this.routes.keys()], fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      // All partitions of a fetch together, so that the batcher can join them.
      partitionsConsumedConcurrently: 64,
      eachBatch: (payload) => this.batch(payload),
    });
  }

  /** Finishes the batches under way and leaves the group. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.idle.stop();
    await this.consumer.disconnect();
    await Promise.all([this.producer.disconnect(), this.admin.disconnect()]);
    await this.parts.sink.close();
  }

  private async batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const heartbeat = () => payload.heartbeat();
    if (!payload.isRunning() || payload.isStale()) return;
    const { sink, outages, counters } = this.parts;
    const route = this.routes.get(batch.topic)!;
    const patience: Patience = {
      outages,
      signal: this.stopping.signal,
      whileWaiting: heartbeat,
      givesUp: isHalted,
    };
    try {
      const items = await this.read(route, batch.messages, patience);
      await this.write(route, batch.topic, items, patience, heartbeat);
      await this.bury(route, batch.topic, batch.partition, items, patience);
      const next = BigInt(batch.lastOffset()) + 1n;
      const metadata = position(items);
      await untilItWorks(
        'kafka',
        () => this.offsets.commit(batch.topic, batch.partition, next, metadata),
        patience,
      );
      payload.resolveOffset(batch.lastOffset());
      counters.add(route.dataset.table, sink.name, items.filter(({ left }) => !left).length);
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      if (error instanceof LetheError && isHalted(error)) {
        outages.failed(`${sink.name} of ${route.dataset.table}`, error);
        setTimeout(payload.pause(), haltedMs).unref();
        return;
      }
      outages.failed(sink.name, error);
      throw error;
    }
  }

  private async read(
    route: SinkRoute,
    messages: readonly KafkaMessage[],
    patience: Patience,
  ): Promise<Item[]> {
    const items: Item[] = [];
    for (const message of messages) {
      const item: Item = {
        message,
        change: undefined,
        left: false,
        rejected: undefined,
        retry: undefined,
      };
      try {
        const read = () => this.reader.read(route.dataset.table, message);
        item.change = await untilItWorks('registry', read, patience);
      } catch (error) {
        if (!isOfRecord(error)) throw error;
        item.rejected = error.code;
      }
      items.push(item);
    }
    return items;
  }

  /**
   * Writes until every change has a final verdict; only what is retriable is written again. Each attempt asks anew whether the
   * changes are this sink's to write, and where: a contract may be applied while it is tried.
   */
  private async write(
    route: SinkRoute,
    topic: string,
    items: Item[],
    patience: Patience,
    heartbeat: () => Promise<void>,
  ): Promise<void> {
    const { sink, counters } = this.parts;
    const batcher = this.batchers.get(topic)!;
    const rule = this.rules.get(topic)!;
    const table = route.dataset.table;
    let open = items.filter((i) => i.change);
    await untilItWorks(
      sink.name,
      async () => {
        const judge = () => rule.writable(open.map((i) => i.change!));
        const writable = await untilItWorks(`${sink.name} of ${table}`, judge, patience);
        for (const [i, mine] of writable.entries()) open[i]!.left = !mine;
        open = open.filter(({ left }) => !left);
        while (open.length > 0) {
          const part = open.slice(0, fitting(open, batcher));
          const changes = part.map((i) => i.change!);
          const bytes = part.reduce((sum, item) => sum + bytesOf(item), 0);
          const verdicts = await withHeartbeat(
            this.circuit.run(() => batcher.add(changes, bytes), patience),
            heartbeat,
          );
          for (const [i, verdict] of verdicts.entries()) settle(part[i]!, verdict);
          counters.add(table, 'stale', verdicts.filter((v) => v.outcome === 'stale').length);
          const again = part.filter((i) => i.retry);
          open = [...again, ...open.slice(part.length)];
          await heartbeat();
          // Nothing later is written before it: of two changes that tie in a store's version the later must come last.
          const code = again[0]?.retry;
          if (code) throw new LetheError(code, `${sink.name} did not take all changes`);
        }
      },
      patience,
    );
    counters.add(table, `${sink.name} left to the reread`, items.filter(({ left }) => left).length);
  }

  /** Dead-letters what the store will never take. */
  private async bury(
    route: SinkRoute,
    topic: string,
    partition: number,
    items: readonly Item[],
    patience: Patience,
  ): Promise<void> {
    const { sink, sealer, counters, log } = this.parts;
    const table = route.dataset.table;
    const messages: Message[] = [];
    for (const { message, rejected: code } of items) {
      if (!code) continue;
      const { offset } = message;
      log.warn({ sink: sink.name, table, topic, partition, offset, code }, 'dead letter');
      const origin = { table, topic, partition, offset, code, stage: sink.name };
      const make = () => deadLetter(origin, message.key, message.value, sealer, route.deadLetterTopic);
      messages.push(await untilItWorks('key store', make, patience));
    }
    if (messages.length === 0) return;
    const send = () =>
      this.producer.send({ topic: route.deadLetterTopic, messages, acks: -1 }).catch(rethrow);
    await untilItWorks('kafka', send, patience);
    counters.add(table, 'dead', messages.length);
  }

  private readonly offsetStore: OffsetStore = {
    fetch: async (topic, partition) => {
      const { groupId } = this.parts;
      const [found] = await this.admin.fetchOffsets({ groupId, topics: [topic] }).catch(rethrow);
      const own = found?.partitions.find((p) => p.partition === partition);
      return { next: BigInt(own?.offset ?? '-1'), metadata: own?.metadata ?? null };
    },
    write: (topic, partition, { next, metadata }) =>
      this.consumer.commitOffsets([{ topic, partition, offset: String(next), metadata }]),
  };
}

/** A store may take longer for one write than the group waits for a member. What a heartbeat throws ends the waiting. */
async function withHeartbeat<T>(work: Promise<T>, heartbeat: () => Promise<void>): Promise<T> {
  const ended = new AbortController();
  const beating = async (): Promise<never> => {
    for (;;) {
      await sleep(heartbeatMs, undefined, { signal: ended.signal });
      await heartbeat();
    }
  };
  try {
    return await Promise.race([work, beating()]);
  } finally {
    ended.abort();
  }
}

/** How many of the items, from the first on, make a write that the store takes for now; one at least. */
function fitting(items: readonly Item[], { batchSize, batchBytes }: WriteBatcher): number {
  let bytes = 0;
  for (const [i, item] of items.slice(0, batchSize).entries()) {
    bytes += bytesOf(item);
    if (i > 0 && bytes > batchBytes) return i;
  }
  return batchSize;
}

function bytesOf({ message }: Item): number {
  return message.value?.length ?? 0;
}

function settle(item: Item, verdict: Verdict): void {
  item.rejected = verdict.outcome === 'rejected' ? verdict.code : undefined;
  item.retry = verdict.outcome === 'retriable' ? verdict.code : undefined;
}

function rethrow(cause: unknown): never {
  throw kafkaError(cause);
}

/** The newest change of the batch, for status: where the sink is and when that was committed at the source. */
function position(items: readonly Item[]): string | null {
  let newest: CleanChange | undefined;
  for (const { change } of items)
    if (change && (!newest || change.commitMs >= newest.commitMs)) newest = change;
  return newest
    ? formatSinkPosition({ lsn: formatLsn(positionOf(newest.version)), commitMs: newest.commitMs })
    : null;
}
