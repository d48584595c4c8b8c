import { Client } from 'pg';
import {
  type CapturePhase,
  ConnectClient,
  type ConnectorStatus,
} from '../connectors/connect/connect-client.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { groupLag, type PartitionLag, totalLag } from '../pipeline/lag.ts';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import { readTopics } from '../pipeline/read-topics.ts';
import { parseSinkPosition, type SinkPosition } from '../pipeline/sink-position.ts';
import type { Config } from '../schemas/config.ts';
import { isRetriable, LetheError } from '../schemas/errors.ts';
import { type SinkName, sinkNames } from '../schemas/sink-name.ts';
import { type Dataset, followsPaths } from '../schemas/dataset.ts';
import { parseDurationMs } from '../schemas/duration.ts';
import * as names from '../schemas/names.ts';
import { parseLsn } from '../schemas/version.ts';
import { groupLetters } from './dlq/group-letters.ts';
import { openLetters } from './dlq/open-mail.ts';

/** The connector's state and its tasks': the trace of a failure is left out, it may quote values. */
export interface ConnectorState {
  readonly name: string;
  /** `RUNNING`, `PAUSED`, `FAILED`, ..., `MISSING`, or `UNREACHABLE` where Kafka Connect does not answer: the connector's, or the first task's that does not run. */
  readonly state: string;
  readonly tasks: readonly string[];
  readonly phase: CapturePhase;
}

export interface SlotStatus {
  readonly name: string;
  readonly active: boolean;
  /** `reserved`, `extended`, `unreserved`, `lost`, or `missing`. */
  readonly wal: string;
  /** The source's WAL ends before what the connector has read: it was restored, and its changes are passed over until then. */
  readonly rewound: boolean;
  /** Bytes of WAL that the slot has not confirmed. */
  readonly lagBytes: number;
}

export interface SinkStatus {
  readonly sink: SinkName;
  readonly table: string;
  /** Offsets still to read in the raw and in the clean topic. */
  readonly rawLag: number;
  readonly cleanLag: number;
  /** Newest change applied: LSN and commit time. */
  readonly position: SinkPosition | undefined;
  /** 0 when everything captured is applied; else at most this old; undefined before the first change. */
  readonly stalenessMs: number | undefined;
  readonly objectiveMs: number;
  readonly met: boolean;
}

export interface PipelineStatus {
  readonly pipeline: string;
  readonly connector: ConnectorState;
  readonly slot: SlotStatus;
  readonly groups: readonly { readonly group: string; readonly lag: number }[];
  readonly sinks: readonly SinkStatus[];
  /** Those that are open: neither retried with success nor discarded. */
  readonly deadLetters: readonly {
    readonly table: string;
    readonly code: string;
    readonly stage: string;
    readonly count: number;
  }[];
  /** Records that wait for rows which their paths lead to. */
  readonly parked: readonly { readonly table: string; readonly count: number }[];
  /** Connector and slot work and every objective is met. */
  readonly healthy: boolean;
}

/** Reads where the whole pipeline stands, from the servers alone: it need not run where the processors run. */
export async function readStatus(
  config: Config,
  datasets: readonly Dataset[],
  now = Date.now(),
): Promise<PipelineStatus> {
  const kafka = createKafka(config, 'status');
  const admin = kafka.admin();
  const [connector, slot] = await Promise.all([connectorState(config), slotStatus(config), admin.connect()]);
  try {
    const raw = await groupLag(
      admin,
      names.transformGroup(config),
      datasets.map((d) => names.rawTopic(config, d.table)),
    );
    const flowing = connector.state === 'RUNNING' && slot.active && !slot.rewound;
    const allCaptured = flowing && connector.phase === 'streaming';
    const groups = [{ group: names.transformGroup(config), lag: Number(totalLag(raw)) }];
    const sinks: SinkStatus[] = [];
    for (const sink of sinkNames) {
      const fed = datasets.filter((d) => d.contract.sinks.includes(sink));
      const clean = await groupLag(
        admin,
        names.sinkGroup(config, sink),
        fed.map((d) => names.cleanTopic(config, d.table)),
      );
      if (fed.length > 0) groups.push({ group: names.sinkGroup(config, sink), lag: Number(totalLag(clean)) });
      for (const dataset of fed) sinks.push(sinkStatus(config, sink, dataset, raw, clean, allCaptured, now));
    }
    const deadLetters = await countDeadLetters(config, datasets);
    const parked = await countParked(config, datasets);
    const healthy = flowing && slot.wal !== 'lost' && sinks.every((s) => s.met);
    return { pipeline: config.name, connector, slot, groups, sinks, deadLetters, parked, healthy };
  } finally {
    await admin.disconnect();
  }
}

function sinkStatus(
  config: Config,
  sink: SinkName,
  dataset: Dataset,
  raw: readonly PartitionLag[],
  clean: readonly PartitionLag[],
  allCaptured: boolean,
  now: number,
): SinkStatus {
  const { table, contract } = dataset;
  const rawLag = Number(totalLag(raw.filter((l) => l.topic === names.rawTopic(config, table))));
  const own = clean.filter((l) => l.topic === names.cleanTopic(config, table));
  const cleanLag = Number(totalLag(own));
  const positions = own.flatMap((l) => parseSinkPosition(l.metadata) ?? []);
  const position = positions.reduce<SinkPosition | undefined>(
    (best, p) => (best && best.commitMs >= p.commitMs ? best : p),
    undefined,
  );
  const caughtUp = allCaptured && rawLag === 0 && cleanLag === 0;
  const stalenessMs = caughtUp ? 0 : position && Math.max(0, now - position.commitMs);
  const objectiveMs = parseDurationMs(contract.staleness)!;
  const met = caughtUp || (stalenessMs !== undefined && stalenessMs <= objectiveMs);
  return { sink, table, rawLag, cleanLag, position, stalenessMs, objectiveMs, met };
}

async function connectorState(config: Config): Promise<ConnectorState> {
  const name = names.connectorName(config);
  const connect = new ConnectClient(config.connect);
  let status: ConnectorStatus | undefined;
  let phase: CapturePhase;
  try {
    [status, phase] = await Promise.all([connect.status(name), connect.phase(name)]);
  } catch (error) {
    // What else there is to say is said: a worker that shares out its work anew answers nobody for a while.
    if (!(error instanceof LetheError && isRetriable(error.code))) throw error;
    return { name, state: 'UNREACHABLE', tasks: [], phase: 'none' };
  }
  if (!status) return { name, state: 'MISSING', tasks: [], phase };
  const tasks = status.tasks.map((task) => task.state);
  const broken = [status.connector.state, ...tasks].find((state) => state !== 'RUNNING');
  return { name, state: broken ?? (tasks.length > 0 ? 'RUNNING' : 'NO_TASK'), tasks, phase };
}

async function slotStatus(config: Config): Promise<SlotStatus> {
  // Asked first: it goes on while the other answers.
  const read = await new ConnectClient(config.connect).position(names.connectorName(config));
  const client = new Client(postgresOptions(config.postgres));
  await client.connect();
  try {
    const name = names.slotName(config);
    const { rows } = await client.query<{ active: boolean; wal_status: string; end: string; lag: string }>(
      `select active, wal_status, pg_current_wal_lsn()::text as end,
         coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::text as lag
       from pg_replication_slots where slot_name = $1`,
      [name],
    );
    const row = rows[0];
    return {
      name,
      active: row?.active ?? false,
      wal: row?.wal_status ?? 'missing',
      rewound: row !== undefined && read !== undefined && read > parseLsn(row.end),
      lagBytes: Number(row?.lag ?? 0),
    };
  } finally {
    await client.end();
  }
}

async function countDeadLetters(
  config: Config,
  datasets: readonly Dataset[],
): Promise<PipelineStatus['deadLetters']> {
  const groups = groupLetters(await openLetters(config, datasets));
  return groups.map(({ table, code, stage, count }) => ({ table, code, stage, count }));
}

async function countParked(config: Config, datasets: readonly Dataset[]): Promise<PipelineStatus['parked']> {
  const following = datasets.filter(followsPaths);
  if (following.length === 0) return [];
  const tables = new Map(following.map((d) => [names.parkedTopic(config, d.table), d.table]));
  const waiting = new Map(following.map((d) => [d.table, new Set<string>()]));
  await readTopics(createKafka(config, 'status'), [...tables.keys()], ({ topic, partition, message }) => {
    const own = waiting.get(tables.get(topic)!)!;
    const place = `${partition}/${String(message.key)}`;
    if (message.value) own.add(place);
    else own.delete(place);
  });
  return [...waiting].map(([table, { size }]) => ({ table, count: size }));
}
