import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canaries } from '../../../examples/beancart/canaries.ts';
import { readStatus } from '../../../cli/pipeline-status.ts';
import { waitForSinks } from '../../../cli/wait-for-sinks.ts';
import { header } from '../../../schemas/record-headers.ts';
import * as names from '../../../schemas/names.ts';
import { comparePipeline, type TableComparison } from '../../../verify/compare.ts';
import { KafkaCluster } from '../../../verify/kafka/cluster.ts';
import { committedRecords } from '../../../verify/kafka/topic-reader.ts';
import { clickhouseApiPlace } from '../../../verify/places/clickhouse-api.ts';
import { elasticsearchApiPlace } from '../../../verify/places/elasticsearch-api.ts';
import { kafkaTopicsPlace } from '../../../verify/places/kafka-topics.ts';
import { logsPlace } from '../../../verify/places/logs.ts';
import { formatComparison } from '../../../verify/report.ts';
import { scanForCanaries } from '../../../verify/scan.ts';
import { type FaultWorld, residentBytes } from './world.ts';

/** What must be zero after any fault, and what explains it where it is not. */
export interface Findings {
  /** Rows that are missing or differ, over topics and stores. */
  readonly mismatches: number;
  /** Rows that the source has deleted and a place has. */
  readonly resurrections: number;
  /** Protected values in a topic, a store or a log. */
  readonly leaks: number;
  /** Changes that stand in a clean topic more than once. */
  readonly doubled: number;
  readonly deadLetters: number;
  /** Watermarks of a sink that are not where the source is, or have gone back. */
  readonly watermarks: number;
  /** Statements of the application that Postgres refused, so far. */
  readonly refused: number;
  /** Most memory of a process of the pipeline, bytes. */
  readonly memory: number;
  /** Rows compared, over topics and stores. */
  readonly compared: number;
  /** For people: what differs. No value of a row. */
  readonly details: string;
}

const convergeLimitMs = 300_000;
const restLimitMs = 20_000;
const restLookMs = 250;

/** What was seen by the faults before: a later one is judged by what it adds. */
export interface Seen {
  /** Newest commit time that each sink has told for a table. */
  readonly watermarks: Map<string, number>;
  /** How often each change stands in a clean topic, of those that stand there more than once. */
  readonly doubled: Map<string, number>;
}

export function nothingSeen(): Seen {
  return { watermarks: new Map(), doubled: new Map() };
}

/** Stops the application, waits until everything has arrived, and looks at every row of every place. */
export async function inspect(world: FaultWorld, seen: Seen): Promise<Findings> {
  await world.stopTraffic();
  const { config, contracts } = world.live.project!;
  await converged(world);
  const tables = contracts.map((c) => c.contract);
  const comparisons = await comparePipeline(config, tables);
  const places = comparisons.flatMap((c) => c.places);
  const sum = (of: (place: (typeof places)[number]) => number): number =>
    places.reduce((n, place) => n + of(place), 0);
  const topics = tables.map((c) => names.cleanTopic(config, c.table));
  const scans = await scanForCanaries({
    places: [
      kafkaTopicsPlace(config, 'clean topics', topics),
      ...(config.elasticsearch ? [elasticsearchApiPlace(config.elasticsearch)] : []),
      ...(config.clickhouse ? [clickhouseApiPlace(config.clickhouse)] : []),
      logsPlace(world.live.logs()),
    ],
    canaries: canaries(),
  });
  const status = await restingStatus(world);
  const problems = scans.flatMap((scan) => scan.problems);
  const watermarks = wrongWatermarks(status.sinks, seen.watermarks);
  return {
    mismatches: sum(({ counts }) => counts.missing + counts.different),
    resurrections: sum(({ counts }) => counts.extra),
    leaks: scans.reduce((n, scan) => n + scan.found, 0) + problems.length,
    doubled: await newlyDoubled(world, topics, seen.doubled),
    deadLetters: status.deadLetters.reduce((n, d) => n + d.count, 0),
    watermarks: watermarks.length,
    refused: world.refused,
    memory: Math.max(world.memory, ...world.all().map(({ child }) => residentBytes(child.pid!))),
    compared: sum(({ counts }) => counts.compared),
    details: [
      differing(comparisons),
      ...problems,
      ...watermarks,
      ...status.deadLetters.map((d) => JSON.stringify(d)),
    ]
      .filter(Boolean)
      .join('\n'),
  };
}

/** Waits until both stores have all that was committed at the source; where they do not come so far, says what is behind. */
async function converged(world: FaultWorld): Promise<void> {
  const { config, datasets } = world.live.project!;
  let stage = 'source';
  try {
    await waitForSinks(config, datasets, {
      signal: AbortSignal.timeout(convergeLimitMs),
      onProgress: (progress) => (stage = progress.stage),
    });
  } catch (cause) {
    const kept = mkdtempSync(join(tmpdir(), 'lethe-fault-logs-'));
    for (const log of world.live.logs()) copyFileSync(log, join(kept, basename(log)));
    const { sinks } = await readStatus(config, datasets);
    const behind = sinks
      .filter(({ rawLag, cleanLag }) => rawLag > 0 || cleanLag > 0)
      .map((s) => `${s.sink} ${s.table}: ${s.rawLag} raw and ${s.cleanLag} clean behind`);
    const what = [
      `no convergence: the ${stage} is not there yet`,
      ...behind,
      `logs are in ${kept}`,
      ...world.live.logs().flatMap(lastTroubles),
    ];
    throw new Error(what.join('\n'), { cause });
  }
}

const troublesOfALog = 12;

/** The last things that a process complained of: it says nothing of a row. Whoever reads a failure elsewhere has no other log. */
function lastTroubles(log: string): string[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  const troubles = lines.filter((line) => /"level":[456]0/.test(line) || !line.startsWith('{'));
  return [
    `-- ${basename(log)}, ${lines.length} lines:`,
    ...troubles.slice(-troublesOfALog),
    ...lines.slice(-3),
  ];
}

/**
 * How the pipeline stands when nothing is under way. An idle raw partition gets an empty record to close its segment, some seconds after
 * the last change: for a moment that one is behind.
 */
async function restingStatus(world: FaultWorld): Promise<Awaited<ReturnType<typeof readStatus>>> {
  const { config, datasets } = world.live.project!;
  const deadline = performance.now() + restLimitMs;
  for (;;) {
    const status = await readStatus(config, datasets);
    const isBehind = status.sinks.some(({ rawLag, cleanLag }) => rawLag > 0 || cleanLag > 0);
    if (!isBehind || performance.now() > deadline) return status;
    await sleep(restLookMs);
  }
}

function differing(comparisons: readonly TableComparison[]): string {
  const wrong = comparisons.filter(({ places }) =>
    places.some(({ counts }) => counts.equal !== counts.source || counts.extra > 0),
  );
  return wrong.length === 0 ? '' : formatComparison(wrong, { colour: false });
}

/** At rest nothing is behind, and what a sink says that it has applied never goes back. */
function wrongWatermarks(
  sinks: Awaited<ReturnType<typeof readStatus>>['sinks'],
  before: Seen['watermarks'],
): string[] {
  const wrong: string[] = [];
  for (const { sink, table, rawLag, cleanLag, position } of sinks) {
    const place = `${sink} ${table}`;
    const newest = position?.commitMs ?? 0;
    const back = (before.get(place) ?? 0) - newest;
    if (rawLag > 0 || cleanLag > 0 || back > 0) {
      wrong.push(`${place}: ${rawLag} raw and ${cleanLag} clean behind, ${Math.max(0, back)} ms back`);
    }
    before.set(place, newest);
  }
  return wrong;
}

/** Committed records of a key with a version that another one has: exactly once writes none. */
async function newlyDoubled(
  world: FaultWorld,
  topics: readonly string[],
  known: Seen['doubled'],
): Promise<number> {
  const cluster = new KafkaCluster(world.live.project!.config.kafka);
  const counts = new Map<string, number>();
  try {
    for (const topic of topics) {
      for (const at of await cluster.partitions(topic)) {
        for await (const { key, headers } of committedRecords(cluster, at)) {
          const version = headers.find((h) => String(h.key) === header.version)?.value;
          const change = `${topic} ${String(key)} ${String(version)}`;
          counts.set(change, (counts.get(change) ?? 0) + 1);
        }
      }
    }
  } finally {
    await cluster.close();
  }
  let doubled = 0;
  for (const [change, count] of counts) {
    if (count === 1) continue;
    doubled += Math.max(0, count - (known.get(change) ?? 1));
    known.set(change, count);
  }
  return doubled;
}
