import { setMaxListeners } from 'node:events';
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { LetheError } from '../schemas/errors.ts';
import type { BrokerConnections } from './broker-connections.ts';
import { deadLetter, type PayloadSealer } from './dead-letters.ts';
import type { Counters } from './counters.ts';
import { tellFetches } from './kafka.ts';
import type { Log } from './log.ts';
import type { Outages } from './outage.ts';
import { IdleOffsets } from './idle-offsets.ts';
import { KeyedLock } from './keyed-lock.ts';
import { PartitionSession } from './partition-session.ts';
import { type RawPurge, rollHeader } from './raw-purge.ts';
import { backoffMs, type Patience, untilItWorks } from './retry.ts';
import type { OutputRecord } from './transactional-producer.ts';
import type { Outcome, RawRecord, TableTransform } from './transform.ts';
import type { VersionClock } from './version-clock.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** One raw topic and where its changes go. */
export interface TransformRoute {
  readonly transform: TableTransform;
  readonly rawTopic: string;
  readonly cleanTopic: string;
  readonly deadLetterTopic: string;
}

/** Few enough to be sent, and forgotten, while the next ones are treated. */
const recordsOfAPart = 500;

/** Below the topics' max.message.bytes, with room for key, headers and framing. */
const largestRecordBytes = 20 * 1024 * 1024 - 64 * 1024;

export interface TransformProcessorParts {
  readonly kafka: Kafka;
  /** Connections of one partition's producer. */
  readonly connect: () => BrokerConnections;
  readonly groupId: string;
  readonly routes: readonly TransformRoute[];
  readonly transactionalId: (topic: string, partition: number) => string;
  /** Resolves if changes of the table may be processed now; else a retriable error. */
  readonly gate: (table: string) => Promise<void>;
  readonly sealer: PayloadSealer;
  readonly purge: RawPurge;
  readonly counters: Counters;
  readonly log: Log;
  readonly outages: Outages;
}

/**
 * Reads raw topics as one member of a consumer group and writes clean topics: one Kafka transaction per batch, the input
 * offset in it. The offset moves only with the output, so a batch is done wholly or not at all.
 */
export class TransformProcessor {
  private readonly parts: TransformProcessorParts;
  private readonly routes: ReadonlyMap<string, TransformRoute>;
  private readonly consumer: Consumer;
  private readonly admin: Admin;
  private readonly sessions = new Map<string, PartitionSession>();
  private readonly stopping = new AbortController();
  private readonly idle: IdleOffsets;
  /** A session does one transaction at a time. */
  private readonly lock = new KeyedLock();

  constructor(parts: TransformProcessorParts) {
    // Every partition may wait on it at once.
    setMaxListeners(0, this.stopping.signal);
    this.parts = parts;
    this.routes = new Map(parts.routes.map((r) => [r.rawTopic, r]));
    this.admin = parts.kafka.admin();
    this.consumer = parts.kafka.consumer({
      groupId: parts.groupId,
      // Debezium's own transactions: an aborted change event must not be seen.
      readUncommitted: false,
      sessionTimeout: 15_000,
      heartbeatInterval: 2_000,
      rebalanceTimeout: 30_000,
      maxWaitTimeInMs: 200,
      minBytes: 1,
      maxBytesPerPartition: 4 * 1024 * 1024,
      maxBytes: 32 * 1024 * 1024,
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 1_000_000 },
    });
    this.idle = new IdleOffsets(this.consumer, (t, p, next) => this.commitIdle(t, p, next));
  }

  /** Commits what only control records lie behind, if the partition is at rest and still ours. */
  private async commitIdle(topic: string, partition: number, next: bigint): Promise<void> {
    const key = `${topic}/${partition}`;
    await this.lock.run(key, async () => {
      const session = this.sessions.get(key);
      if (!session || session.nextOffset === undefined || session.nextOffset >= next) return;
      try {
        await session.commit(nothing(), next, session.clock);
        this.parts.purge.committed(topic, partition, next, true);
      } catch {
        await this.discard(topic, partition);
      }
    });
  }

  async start(): Promise<void> {
    const { log, routes } = this.parts;
    await Promise.all([this.consumer.connect(), this.admin.connect()]);
    // A new assignment voids every session: each is opened again, which fences whoever held the partition.
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      for (const session of this.sessions.values()) void session.close();
      this.sessions.clear();
      for (const route of routes) this.parts.purge.forget(route.rawTopic);
      const partitions = Object.values(payload.memberAssignment).reduce((n, p) => n + p.length, 0);
      log.info({ group: payload.groupId, partitions }, 'joined the group');
    });
    tellFetches(this.consumer, this.parts.outages);
    this.idle.start(500);
    await this.consumer.subscribe({ topics: routes.map((r) => r.rawTopic), fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 12,
      eachBatch: (payload) =>
        this.lock.run(`${payload.batch.topic}/${payload.batch.partition}`, () => this.batch(payload)),
    });
  }

  /** Ends what is under way and leaves the group; the next start goes on at the committed offsets. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.idle.stop();
    await this.consumer.disconnect();
    await Promise.all([...this.sessions.values()].map((s) => s.close()));
    this.sessions.clear();
    await this.admin.disconnect();
  }

  private async batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const heartbeat = () => payload.heartbeat();
    const { topic, partition } = batch;
    const route = this.routes.get(topic)!;
    const { outages } = this.parts;
    const patience: Patience = { outages, signal: this.stopping.signal, whileWaiting: heartbeat };
    const last = BigInt(batch.lastOffset());
    for (
      let attempt = 1;
      payload.isRunning() && !payload.isStale() && !this.stopping.signal.aborted;
      attempt++
    ) {
      try {
        // A member that was away learns here that the partition is no longer its own, before it fences the new holder.
        await heartbeat();
        const { table } = route.transform;
        await untilItWorks(`table ${table}`, () => this.parts.gate(table), patience);
        const session = await this.session(topic, partition);
        const messages = batch.messages.filter(
          (m) => session.nextOffset === undefined || BigInt(m.offset) >= session.nextOffset,
        );
        if (messages.length > 0) {
          await this.process(route, partition, messages, last + 1n, session, patience);
        }
        const onlyRoll = messages.every((m) => m.headers?.[rollHeader] !== undefined);
        this.parts.purge.committed(topic, partition, session.nextOffset ?? last + 1n, onlyRoll);
        payload.resolveOffset(batch.lastOffset());
        return;
      } catch (error) {
        await this.discard(topic, partition);
        if (this.stopping.signal.aborted) return;
        if (!(error instanceof LetheError)) throw error;
        outages.failed('kafka', error);
        await sleep(backoffMs(attempt, Math.random()), undefined, { signal: this.stopping.signal }).catch(
          () => {},
        );
      }
    }
  }

  private async process(
    route: TransformRoute,
    partition: number,
    messages: readonly RawRecord[],
    nextOffset: bigint,
    session: PartitionSession,
    patience: Patience,
  ): Promise<void> {
    const { counters } = this.parts;
    const clock = session.clock.copy();
    const counts = new Map<string, number>();
    await session.commit(this.output(route, partition, messages, clock, counts, patience), nextOffset, clock);
    for (const [what, count] of counts) counters.add(route.transform.table, what, count);
  }

  /** What becomes of the records, part by part; moves the clock on. */
  private async *output(
    route: TransformRoute,
    partition: number,
    messages: readonly RawRecord[],
    clock: VersionClock,
    counts: Map<string, number>,
    patience: Patience,
  ): AsyncGenerator<OutputRecord[]> {
    const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
    for (let from = 0; from < messages.length; from += recordsOfAPart) {
      const part = messages.slice(from, from + recordsOfAPart);
      const outcomes = await untilItWorks(
        'servers of the transform',
        async () => {
          // A fresh copy for each attempt: a version is given once.
          const attempt = clock.copy();
          const made = await route.transform.transform(part, attempt);
          clock.set(attempt);
          return made;
        },
        patience,
      );
      const output: OutputRecord[] = [];
      for (const [i, made] of outcomes.entries()) {
        const outcome = fitting(made);
        if (outcome.kind === 'clean') {
          const { key, value, headers } = outcome;
          output.push({ topic: route.cleanTopic, key, value, headers });
          count('clean');
        } else if (outcome.kind === 'failed') {
          const seal = () => this.deadLetter(route, partition, part[i]!, outcome, this.parts.sealer);
          output.push(await untilItWorks('key store', seal, patience));
          count('dead');
        } else count(outcome.reason);
      }
      if (output.length > 0) yield output;
      await patience.whileWaiting?.();
    }
  }

  private deadLetter(
    route: TransformRoute,
    partition: number,
    record: RawRecord,
    outcome: Extract<Outcome, { kind: 'failed' }>,
    sealer: PayloadSealer,
  ): Promise<OutputRecord> {
    const { rawTopic: topic, deadLetterTopic, transform } = route;
    const { offset } = record;
    this.parts.log.warn(
      { table: transform.table, topic, partition, offset, code: outcome.code, reason: outcome.reason },
      'dead letter',
    );
    const origin = {
      table: transform.table,
      topic,
      partition,
      offset,
      code: outcome.code,
      stage: 'transform',
    };
    return deadLetter(origin, record.key, record.value, sealer, deadLetterTopic);
  }

  private async session(topic: string, partition: number): Promise<PartitionSession> {
    const key = `${topic}/${partition}`;
    const known = this.sessions.get(key);
    if (known) return known;
    const { connect, groupId, transactionalId } = this.parts;
    const { cleanTopic, deadLetterTopic } = this.routes.get(topic)!;
    const session = await PartitionSession.open({
      connect,
      admin: this.admin,
      groupId,
      topic,
      partition,
      transactionalId: transactionalId(topic, partition),
      output: [cleanTopic, deadLetterTopic],
    });
    this.sessions.set(key, session);
    return session;
  }

  private async discard(topic: string, partition: number): Promise<void> {
    const key = `${topic}/${partition}`;
    await this.sessions.get(key)?.close();
    this.sessions.delete(key);
  }
}

async function* nothing(): AsyncGenerator<never> {}

/** Kafka would refuse the whole batch, again and again, for one record beyond its limit. */
function fitting(outcome: Outcome): Outcome {
  if (outcome.kind !== 'clean' || (outcome.value?.length ?? 0) <= largestRecordBytes) return outcome;
  return { kind: 'failed', code: 'RECORD_TOO_LARGE', reason: `more than ${largestRecordBytes} bytes` };
}
