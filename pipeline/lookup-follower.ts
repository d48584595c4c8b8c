import { setTimeout as sleep } from 'node:timers/promises';
import { LetheError } from '../schemas/errors.ts';
import { header } from '../schemas/record-headers.ts';
import type { BrokerConnections } from './broker-connections.ts';
import { CommittedReader, type FetchedPartition, type PartitionPosition } from './committed-reader.ts';
import { kafkaError } from './kafka.ts';
import type { LookupStore } from './lookup-store.ts';
import type { Outages } from './outage.ts';
import { backoffMs } from './retry.ts';

export interface LookupFollowerParts {
  readonly connect: () => BrokerConnections;
  readonly store: LookupStore;
  /** Lookup topics by their tables. */
  readonly topics: ReadonlyMap<string, string>;
  /** A process that was away for longer reads everything anew, ms. */
  readonly longestAwayMs: number;
  readonly outages: Outages;
}

interface Waiter {
  readonly ends: readonly PartitionPosition[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

const fetchWaitMs = 250;
const noteEveryMs = 60_000;
const server = 'kafka (lookups)';

/** Keeps the store of looked-up rows at the ends of the lookup topics, all partitions of them, and says when it is there. */
export class LookupFollower {
  private readonly parts: LookupFollowerParts;
  private readonly tables: ReadonlyMap<string, string>;
  private readonly positions = new Map<string, bigint>();
  private waiters: Waiter[] = [];
  private readonly stopping = new AbortController();
  private asking: CommittedReader | undefined;
  private running: Promise<void> | undefined;
  private notedMs = 0;
  /** Grows with every change of a looked-up row. */
  changes = 0;

  constructor(parts: LookupFollowerParts) {
    this.parts = parts;
    this.tables = new Map([...parts.topics].map(([table, topic]) => [topic, table]));
  }

  /** Begins to read; it goes on through outages until it is stopped. */
  start(): void {
    this.running = this.run();
  }

  /**
   * Waits until all is taken in that the lookup topics of these tables hold now, what is still uncommitted included. Fails with
   * UNREACHABLE if Kafka does not say where they end. `whileWaiting` is called every second; what it throws ends the wait.
   */
  async caughtUp(
    tables: readonly string[],
    partition?: number,
    whileWaiting?: () => Promise<void>,
  ): Promise<void> {
    const all = await this.ends(tables.map((table) => this.parts.topics.get(table)!));
    const ends = all.filter((end) => partition === undefined || end.partition === partition);
    if (!this.reached(ends)) await this.wait(ends, whileWaiting);
    this.parts.store.refresh();
  }

  /** Is all taken in that the lookup topics of these tables hold now? */
  async isCaughtUp(tables: readonly string[]): Promise<boolean> {
    const reached = this.reached(await this.ends(tables.map((table) => this.parts.topics.get(table)!)));
    this.parts.store.refresh();
    return reached;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    for (const waiter of this.waiters) waiter.failed(new LetheError('UNREACHABLE', 'lookups are stopped'));
    this.waiters = [];
    await this.running;
    await this.asking?.close();
  }

  private async ends(topics: readonly string[]): Promise<PartitionPosition[]> {
    if (topics.length === 0) return [];
    const asking = (this.asking ??= new CommittedReader(this.parts.connect()));
    try {
      return await asking.ends(topics);
    } catch (error) {
      // Another call may have put a new one in its place.
      if (this.asking === asking) this.asking = undefined;
      await asking.close();
      throw kafkaError(error);
    }
  }

  private async wait(
    ends: readonly PartitionPosition[],
    whileWaiting: (() => Promise<void>) | undefined,
  ): Promise<void> {
    let beat: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((done, failed) => {
        this.waiters.push({ ends, done, failed });
        if (whileWaiting) beat = setInterval(() => void whileWaiting().catch(failed), 1_000);
      });
    } finally {
      clearInterval(beat);
    }
  }

  private reached(ends: readonly PartitionPosition[]): boolean {
    return ends.every((end) => (this.positions.get(placeOf(end)) ?? -1n) >= end.next);
  }

  private async run(): Promise<void> {
    const { outages, connect } = this.parts;
    const { signal } = this.stopping;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const connections = connect();
      const reader = new CommittedReader(connections);
      try {
        const leaders = await this.begin(connections, reader);
        outages.succeeded(server);
        attempt = 0;
        await Promise.all([...leaders].map(([leader, places]) => this.follow(reader, leader, places)));
      } catch (error) {
        if (!signal.aborted) outages.failed(server, error);
      } finally {
        await reader.close();
      }
      await sleep(backoffMs(attempt + 1, Math.random()), undefined, { signal }).catch(() => {});
    }
  }

  /** Puts the store in line with the topics as they are; says which partitions to read from which broker. */
  private async begin(
    connections: BrokerConnections,
    reader: CommittedReader,
  ): Promise<Map<number, PartitionPosition[]>> {
    const { store, topics, longestAwayMs } = this.parts;
    const names = [...topics.values()];
    const [found, ends] = await Promise.all([connections.topics(names), reader.ends(names)]);
    const leaders = new Map<number, PartitionPosition[]>();
    for (const [table, topic] of topics) {
      const own = ends.filter((end) => end.topic === topic);
      const about = found.get(topic)!;
      await store.reconcile(table, about.id, own, Date.now(), longestAwayMs);
      for (const { partition } of own) {
        const next = store.next(table, partition);
        this.positions.set(placeOf({ topic, partition }), next);
        const leader = about.leaders[partition]!;
        leaders.set(leader, [...(leaders.get(leader) ?? []), { topic, partition, next }]);
      }
    }
    this.tellWaiters();
    return leaders;
  }

  private async follow(
    reader: CommittedReader,
    leader: number,
    places: readonly PartitionPosition[],
  ): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const positions = places.map((place) => ({ ...place, next: this.positions.get(placeOf(place))! }));
      const fetched = await reader.fetch(leader, positions, fetchWaitMs);
      for (const part of fetched) await this.take(part);
      await this.note(fetched);
    }
  }

  private async take(part: FetchedPartition): Promise<void> {
    const place = placeOf(part);
    const from = this.positions.get(place)!;
    if (part.next === from) return;
    const records = part.records.map(({ offset, key, value, headers }) => ({
      offset,
      digest: key,
      row: value && { version: headers.get(header.version) ?? '', sealed: value },
    }));
    const table = this.tables.get(part.topic)!;
    this.positions.set(place, await this.parts.store.apply(table, part.partition, from, records, part.next));
    this.changes += records.length;
    this.tellWaiters();
  }

  /** Now and then, at rest: the store is as new as the topics. */
  private async note(fetched: readonly FetchedPartition[]): Promise<void> {
    if (Date.now() - this.notedMs < noteEveryMs || fetched.some(({ records }) => records.length > 0)) return;
    this.notedMs = Date.now();
    for (const table of this.parts.topics.keys()) await this.parts.store.seen(table, this.notedMs);
  }

  private tellWaiters(): void {
    this.waiters = this.waiters.filter((waiter) => {
      if (!this.reached(waiter.ends)) return true;
      waiter.done();
      return false;
    });
  }
}

const placeOf = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic}/${partition}`;
