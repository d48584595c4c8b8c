import type { SinkName } from '../schemas/sink-name.ts';
import { join } from 'node:path';
import type { Arrivals } from './clean-arrivals.ts';
import { TopicArrivals } from './clean-arrivals.ts';
import { Child } from './child.ts';
import { letheConnector, resumeConnector } from './connector.ts';
import * as names from '../schemas/names.ts';
import { hasRead } from './group-rate.ts';
import { poll } from './poll.ts';
import { percentile } from './statistics.ts';
import { storeArrivals } from './store-arrivals.ts';
import { lethe, refuseDeadLetters, type ThroughputParts } from './throughput.ts';

const warmUpMs = 10_000;
/** Stores are asked for every tenth row: asking for all of them would be a load of its own. */
const sampleEvery = 10;

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds from commit to visible; a store is there if its sink ran. */
export interface Latency {
  readonly raw: Percentiles;
  readonly clean: Percentiles;
  readonly stores: Readonly<Partial<Record<SinkName, Percentiles>>>;
  /** Transactions a second that were really committed. */
  readonly ratePerSecond: number;
}

export interface LatencyLoad {
  readonly first: number;
  readonly ratePerSecond: number;
  readonly measuredMs: number;
  /** What runs beside the transform, each in a process of its own. */
  readonly sinks: readonly SinkName[];
}

/** Rows that a load writes. */
export function rowsOf({ ratePerSecond, measuredMs }: LatencyLoad): number {
  return Math.round((ratePerSecond * (warmUpMs + measuredMs)) / 1_000);
}

/**
 * Commit to visible under a steady load. The commit's time is Postgres' own commit timestamp, which it takes before it
 * flushes the WAL, so that the flush is part of the latency.
 */
export async function measureLatency(
  parts: Omit<ThroughputParts, 'alone'>,
  load: LatencyLoad,
): Promise<Latency> {
  const { project, signal, say } = parts;
  const { ratePerSecond, measuredMs, sinks } = load;
  const rows = rowsOf(load);
  const cleanTopic = names.cleanTopic(project.config, project.dataset.table);
  const measured = Math.round((ratePerSecond * measuredMs) / 1_000);
  const from = load.first + rows - measured;
  const children = (['transform', ...sinks] as const).map((component) => lethe(parts, component));
  const stores = sinks.map((sink) => storeArrivals(project, sink));
  const topics = new TopicArrivals(project, from, (row) => {
    if (row % sampleEvery === 0) for (const store of stores) store.expect(row);
  });
  try {
    await resumeConnector(letheConnector(project));
    await Promise.all(children.map((child) => child.joined));
    // What earlier loads have left would be waited for by the first rows of this one.
    for (const sink of sinks) {
      const work = { groupId: names.sinkGroup(project.config, sink), topic: cleanTopic };
      const what = `${sink} to have no backlog`;
      await poll(() => hasRead(work, parts.admin), { signal, limitMs: 300_000, what });
    }
    await topics.start();
    for (const store of stores) store.start();
    say(
      `${ratePerSecond} transactions a second for ${(warmUpMs + measuredMs) / 1_000} s, ${sinks.length} sinks`,
    );
    await write(parts, { first: load.first, rows, ratePerSecond });
    const { raw, clean, committed } = topics;
    const sampled = Math.floor(measured / sampleEvery);
    // Raw records are deleted after their commit, a few of them before the benchmark has read them.
    const complete = () => clean.size >= measured && stores.every(({ seen }) => seen.size >= sampled);
    await poll(() => Promise.resolve(complete()), {
      signal,
      limitMs: 120_000,
      get what() {
        const asked = stores.map(({ seen }) => `${seen.size} of ${sampled}`);
        return `${measured} rows: ${raw.size} raw, ${clean.size} clean, in stores ${asked.join(', ')}`;
      },
    });
    await refuseDeadLetters(parts);
    const of = (seen: Arrivals) => latencies([...seen].map(([row, atMs]) => atMs - committed.get(row)!));
    const commits = [...committed.values()];
    const spanMs = percentile(commits, 1) - percentile(commits, 0);
    return {
      raw: of(raw),
      clean: of(clean),
      stores: Object.fromEntries(stores.map(({ seen }, i) => [sinks[i]!, of(seen)])),
      ratePerSecond: Math.round(((measured - 1) * 1_000) / spanMs),
    };
  } finally {
    await Promise.all([topics, ...stores, ...children].map((part) => part.stop()));
  }
}

function latencies(ms: readonly number[]): Percentiles {
  const round = (value: number) => Math.round(value * 10) / 10;
  return { p50: round(percentile(ms, 0.5)), p99: round(percentile(ms, 0.99)) };
}

async function write(
  { project, logs }: Pick<ThroughputParts, 'project' | 'logs'>,
  { first, rows, ratePerSecond }: { first: number; rows: number; ratePerSecond: number },
): Promise<void> {
  const args = [
    '--source',
    project.source,
    '--first',
    `${first}`,
    '--rows',
    `${rows}`,
    '--rate',
    `${ratePerSecond}`,
  ];
  const writer = new Child('bench/writer.js', args, join(logs, 'writer.log'));
  await writer.done();
}
