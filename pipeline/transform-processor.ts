import { setMaxListeners } from 'node:events';
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { LetheError } from '../schemas/errors.ts';
import type { BrokerConnections } from './broker-connections.ts';
import type { PayloadSealer } from './dead-letters.ts';
import { Backlog } from './backlog.ts';
import type { Counters } from './counters.ts';
import { kafkaError, tellFetches } from './kafka.ts';
import type { Log } from './log.ts';
import type { Outages } from './outage.ts';
import { IdleOffsets } from './idle-offsets.ts';
import { KeyedLock } from './keyed-lock.ts';
import { Membership } from './membership.ts';
import { PartitionSession } from './partition-session.ts';
import { type RawPurge, rollHeader } from './raw-purge.ts';
import { Parking } from './parking.ts';
import { haltedMs, isHalted } from './halted-table.ts';
import { startLasting } from './lasting-consumer.ts';
import { backoffMs, type Patience, untilItWorks } from './retry.ts';
import { RouteOutput, type TransformRoute } from './route-output.ts';
import { isOfNoRow, type RawRecord } from './transform.ts';
import { Truncation } from './truncation.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** Records of one partition that may wait at a time: they are held in memory. */
const mostParked = 50_000;
const releaseEveryMs = 500;

/** A partition of a raw topic. */
interface Place {
  readonly route: TransformRoute;
  readonly partition: number;
}

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
  /** Where signals to the connector go. */
  readonly signalTopic: string;
  /** Records of one partition that may wait at a time; 50,000 if left out. */
  readonly mostParked?: number;
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
  /** Truncates that wait for what was captured before them. */
  private readonly truncations = new Map<string, Truncation>();
  private readonly stopping = new AbortController();
  private readonly idle: IdleOffsets;
  private readonly parking: Parking;
  private readonly membership = new Membership();
  /** How often the group was joined. */
  private joined = 0;
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
    this.parking = new Parking({
      ...parts,
      consumer: this.consumer,
      membership: this.membership,
      lock: this.lock,
      session: (topic, partition) => this.session(topic, partition),
      discard: (topic, partition) => this.discard(topic, partition),
      backlog: ({ lookups }) => {
        const followed = parts.routes.filter((r) => lookups?.followed.includes(r.transform.table));
        return new Backlog(
          this.admin,
          parts.groupId,
          followed.map((r) => r.rawTopic),
        );
      },
    });
  }

  /**
   * Commits what only control records lie behind. Who had the partition before may have died with it undone, and no record may come for long:
   * so a partition without a session gets one. Fails where it is to be tried again.
   */
  private async commitIdle(topic: string, partition: number, next: bigint): Promise<void> {
    const key = `${topic}/${partition}`;
    await this.lock.run(key, async () => {
      try {
        const session = await this.session(topic, partition);
        if (session.nextOffset !== undefined && session.nextOffset >= next) return;
        await session.commit(nothing(), next, session.clock);
        this.parts.purge.committed(topic, partition, next, true);
      } catch (error) {
        await this.discard(topic, partition);
        throw error;
      }
    });
  }

  async start(): Promise<void> {
    const { log, routes } = this.parts;
    await this.admin.connect();
    // A new assignment voids every session: each is opened again, which fences whoever held the partition.
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.membership.confirmed();
      for (const session of this.sessions.values()) void session.close();
      this.sessions.clear();
      this.truncations.clear();
      for (const route of routes) this.parts.purge.forget(route.rawTopic);
      this.parking.assigned(payload.memberAssignment, routes);
      void this.takeUpPurge(payload.memberAssignment);
      const partitions = Object.values(payload.memberAssignment).reduce((n, p) => n + p.length, 0);
      log.info({ group: payload.groupId, partitions }, 'joined the group');
    });
    this.consumer.on(this.consumer.events.HEARTBEAT, () => this.membership.confirmed());
    tellFetches(this.consumer, this.parts.outages);
    this.idle.start(500, () => this.membership.isSure());
    this.parking.start(releaseEveryMs);
    await startLasting(this.consumer, () => this.consume(), { log, signal: this.stopping.signal });
  }

  /**
   * Whoever committed what stands in these partitions may have ended before he purged it, and before the rows' segment was closed: nothing more
   * may come for long, and raw rows must not lie there.
   */
  private async takeUpPurge(assignment: Readonly<Record<string, readonly number[]>>): Promise<void> {
    const joined = ++this.joined;
    const { groupId, purge, outages } = this.parts;
    const topics = Object.keys(assignment);
    if (topics.length === 0) return;
    const fetch = () =>
      this.admin.fetchOffsets({ groupId, topics }).catch((cause: unknown) => {
        throw kafkaError(cause);
      });
    try {
      const committed = await untilItWorks('kafka (purge)', fetch, { outages, signal: this.stopping.signal });
      if (joined !== this.joined) return;
      for (const { topic, partitions } of committed) {
        for (const { partition, offset } of partitions) {
          if (offset !== '-1' && assignment[topic]?.includes(partition))
            purge.committed(topic, partition, BigInt(offset), false);
        }
      }
    } catch (error) {
      if (!this.stopping.signal.aborted) outages.failed('kafka (purge)', error);
    }
  }

  private async consume(): Promise<void> {
    await this.consumer.connect();
    await this.consumer.subscribe({
      topics: this.parts.routes.map((r) => r.rawTopic),
      fromBeginning: true,
    });
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
    this.parking.stop();
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
    const patience: Patience = {
      outages,
      signal: this.stopping.signal,
      whileWaiting: heartbeat,
      givesUp: isHalted,
    };
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
        if (!(await this.parking.release({ route, partition }, session, patience))) {
          // What came is fetched again when there is room for it.
          this.parking.hold(route, partition);
          return;
        }
        const place = { route, partition };
        const truncate = messages.find(isOfNoRow);
        if (truncate) {
          // What stands behind it is fetched again when it is done.
          await this.truncate(place, messages, truncate, session, patience);
          this.parts.purge.committed(topic, partition, session.nextOffset!, false);
          payload.resolveOffset(truncate.offset);
          return;
        }
        if (messages.length > 0) await this.process(place, messages, last + 1n, session, patience);
        const onlyRoll = messages.every((m) => m.headers?.[rollHeader] !== undefined);
        this.parts.purge.committed(topic, partition, session.nextOffset ?? last + 1n, onlyRoll);
        payload.resolveOffset(batch.lastOffset());
        return;
      } catch (error) {
        await this.discard(topic, partition);
        if (this.stopping.signal.aborted) return;
        if (!(error instanceof LetheError)) throw error;
        if (isHalted(error)) {
          // The table waits, and keeps none of the places in which partitions are worked on.
          outages.failed(`table ${route.transform.table}`, error);
          setTimeout(payload.pause(), haltedMs).unref();
          return;
        }
        // A key store that is not what it was is waited for as well: until it is there again nothing passes.
        outages.failed(error.code.startsWith('KEY_STORE') ? 'key store' : 'kafka', error);
        await sleep(backoffMs(attempt, Math.random()), undefined, { signal: this.stopping.signal }).catch(
          () => {},
        );
      }
    }
  }

  /**
   * The records before a truncate, then the truncate itself. Its transactions leave the offset before it until all is done, so that
   * whoever takes over begins it anew.
   */
  private async truncate(
    place: Place,
    messages: readonly RawRecord[],
    record: RawRecord,
    session: PartitionSession,
    patience: Patience,
  ): Promise<void> {
    const { route, partition } = place;
    const { connect, groupId, log } = this.parts;
    const at = BigInt(record.offset);
    const before = messages.slice(0, messages.indexOf(record));
    if (before.length > 0) await this.process(place, before, at, session, patience);
    const output = new RouteOutput(this.parts, route, partition, session.parked);
    const clock = session.clock.copy();
    const headers = await output.truncate(record, clock, patience);
    if (headers) {
      const { rawTopic, cleanTopic, transform } = route;
      const key = `${rawTopic}/${partition}/${record.offset}`;
      const truncation =
        this.truncations.get(key) ??
        new Truncation({ connect, admin: this.admin, groupId, rawTopic, cleanTopic }, partition);
      this.truncations.set(key, truncation);
      await truncation.reached();
      for (;;) {
        const parts = await truncation.output(headers);
        if (parts.length === 0) break;
        const rows = parts.reduce((n, part) => n + part.length, 0);
        log.warn({ table: transform.table, rows }, 'truncated at the source: rows are deleted');
        await session.commit(inTurn(parts), at, session.clock);
        await patience.whileWaiting?.();
      }
      this.truncations.delete(key);
    }
    await session.commit(nothing(), at + 1n, clock);
    output.committed();
  }

  private async process(
    { route, partition }: Place,
    messages: readonly RawRecord[],
    nextOffset: bigint,
    session: PartitionSession,
    patience: Patience,
  ): Promise<void> {
    await this.lookUp(route, partition, patience.whileWaiting);
    const output = new RouteOutput(this.parts, route, partition, session.parked);
    const clock = session.clock.copy();
    await session.commit(output.batch(messages, clock, patience), nextOffset, clock);
    output.committed();
  }

  /**
   * Waits until what the batch looks up is as new as the topics: rows that were read again because a fact moved must see
   * it, and a looked-up table what it wrote itself. Nothing of this partition is in an open transaction then.
   */
  private async lookUp(
    { transform, lookups }: TransformRoute,
    partition: number,
    whileWaiting: Patience['whileWaiting'],
  ): Promise<void> {
    if (!lookups) return;
    const { tables, followed, lookedUp } = lookups;
    if (followed.length > 0) await tables.caughtUp(followed, undefined, whileWaiting);
    if (lookedUp) await tables.caughtUp([transform.table], partition, whileWaiting);
  }

  private async session(topic: string, partition: number): Promise<PartitionSession> {
    const key = `${topic}/${partition}`;
    const known = this.sessions.get(key);
    if (known) return known;
    const { connect, groupId, transactionalId } = this.parts;
    const { cleanTopic, deadLetterTopic, lookups, transform } = this.routes.get(topic)!;
    const { parking, lookedUp, tables } = lookups ?? {};
    const optional = [parking?.topic, lookedUp?.topic, lookedUp && this.parts.signalTopic];
    const session = await PartitionSession.open({
      connect,
      admin: this.admin,
      groupId,
      topic,
      partition,
      transactionalId: transactionalId(topic, partition),
      output: [cleanTopic, deadLetterTopic, ...optional.filter((name) => name !== undefined)],
      ...(parking && tables
        ? {
            parking: {
              scope: { table: transform.table, topic: parking.topic, partition, cipher: tables.cipher },
              most: this.parts.mostParked ?? mostParked,
            },
          }
        : {}),
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

async function* inTurn<T>(parts: readonly T[]): AsyncGenerator<T> {
  yield* parts;
}
