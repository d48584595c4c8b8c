import type { Consumer } from 'kafkajs';
import { LetheError } from '../schemas/errors.ts';
import type { Backlog } from './backlog.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { Membership } from './membership.ts';
import type { Outages } from './outage.ts';
import type { PartitionSession } from './partition-session.ts';
import type { Patience } from './retry.ts';
import { RouteOutput, type RouteOutputParts, type TransformRoute } from './route-output.ts';

export interface ParkingParts extends RouteOutputParts {
  readonly consumer: Consumer;
  /** Partitions are this member's own only as long as it is one. */
  readonly membership: Pick<Membership, 'isSure'>;
  /** A session does one transaction at a time; keys are `<topic>/<partition>`. */
  readonly lock: KeyedLock;
  /** The partition's session, opened where there is none. */
  readonly session: (topic: string, partition: number) => Promise<PartitionSession>;
  readonly discard: (topic: string, partition: number) => Promise<void>;
  /** What is still to be read of the tables that the route's paths lead over. */
  readonly backlog: (route: TransformRoute) => Backlog;
  readonly outages: Outages;
}

interface Place {
  readonly route: TransformRoute;
  readonly partition: number;
}

/**
 * Lets rows go on that waited: when what they wait for has come, and when their time is up. It looks at all
 * partitions of this member, also those to which nothing new comes, and holds partitions in which too many wait.
 */
export class Parking {
  private readonly parts: ParkingParts;
  private readonly backlogs = new Map<TransformRoute, Backlog>();
  private places: readonly Place[] = [];
  private readonly held = new Map<string, { topic: string; partition: number }>();
  private readonly underWay = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: ParkingParts) {
    this.parts = parts;
  }

  /** The partitions of this member from now on, by raw topic. */
  assigned(assignment: Readonly<Record<string, readonly number[]>>, routes: readonly TransformRoute[]): void {
    for (const [place, { topic, partition }] of this.held) this.resume(place, topic, partition);
    this.places = routes
      .filter((route) => route.lookups?.parking)
      .flatMap((route) => (assignment[route.rawTopic] ?? []).map((partition) => ({ route, partition })));
  }

  start(everyMs: number): void {
    this.timer = setInterval(() => {
      if (!this.parts.membership.isSure()) return;
      for (const place of this.places) void this.look(place);
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.places = [];
  }

  /** Stops reading a partition until fewer of its rows wait. */
  hold(route: TransformRoute, partition: number): void {
    const { consumer, outages } = this.parts;
    const topic = route.rawTopic;
    this.held.set(`${topic}/${partition}`, { topic, partition });
    consumer.pause([{ topic, partitions: [partition] }]);
    const { table } = route.transform;
    outages.failed(
      `rows that ${table} looks up`,
      new LetheError('UNREACHABLE', `too many rows of ${table} wait for others`),
    );
  }

  /** Lets go what is due; says whether more may come in. What fails is tried again as `patience` says. */
  async release(
    { route, partition }: Place,
    session: PartitionSession,
    patience: Patience,
  ): Promise<boolean> {
    const { parked, clock, nextOffset } = session;
    const { lookups } = route;
    if (!parked || !lookups?.parking || parked.size === 0 || nextOffset === undefined) return true;
    const { tables, followed, parking } = lookups;
    let expiredBefore = Date.now() - parking.deadlineMs;
    if (parked.oldestMs! <= expiredBefore) {
      // Time that the pipeline itself was behind, or away, is nobody's fault.
      const readUntil = (await this.backlogOf(route).readUntil(Date.now())) ?? 0;
      expiredBefore = (await tables.isCaughtUp(followed)) ? Math.min(expiredBefore, readUntil) : 0;
    }
    const { changes } = tables;
    if (parked.lookedThrough === changes && parked.oldestMs! > expiredBefore) return !parked.isFull;
    const rows = parked.due((row) => tables.has(row.table, row.digest), expiredBefore);
    parked.lookedThrough = changes;
    if (rows.length > 0) {
      const output = new RouteOutput(this.parts, route, partition, parked);
      await session.commit(output.released(rows, expiredBefore, clock.copy(), patience), nextOffset, clock);
      output.committed();
    }
    return !parked.isFull;
  }

  private async look(place: Place): Promise<void> {
    const { lock, session, discard, outages } = this.parts;
    const topic = place.route.rawTopic;
    const key = `${topic}/${place.partition}`;
    if (this.underWay.has(key)) return;
    this.underWay.add(key);
    const server = `rows of ${place.route.transform.table} in waiting`;
    try {
      await lock.run(key, async () => {
        if (!this.places.includes(place)) return;
        try {
          const more = await this.release(place, await session(topic, place.partition), {
            outages,
            // Not tried again here: the partition would be kept from its batches meanwhile.
            signal: AbortSignal.abort(),
          });
          if (more && this.held.has(key)) this.resume(key, topic, place.partition);
          outages.succeeded(server);
        } catch (error) {
          await discard(topic, place.partition);
          if (this.places.includes(place)) outages.failed(server, error);
        }
      });
    } finally {
      this.underWay.delete(key);
    }
  }

  private resume(key: string, topic: string, partition: number): void {
    this.held.delete(key);
    this.parts.consumer.resume([{ topic, partitions: [partition] }]);
    const { table } = this.places.find(({ route }) => route.rawTopic === topic)?.route.transform ?? {};
    if (table !== undefined) this.parts.outages.succeeded(`rows that ${table} looks up`);
  }

  private backlogOf(route: TransformRoute): Backlog {
    const known = this.backlogs.get(route) ?? this.parts.backlog(route);
    this.backlogs.set(route, known);
    return known;
  }
}
