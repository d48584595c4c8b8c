import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { Client } from 'pg';
import { type CapturePhase, ConnectClient } from '../connectors/connect/connect-client.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { groupLag } from '../pipeline/lag.ts';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import type { Config } from '../schemas/config.ts';
import { isRetriable, LetheError } from '../schemas/errors.ts';
import { sinkNames } from '../schemas/sink-name.ts';
import type { Dataset } from '../schemas/dataset.ts';
import * as names from '../schemas/names.ts';

/** Where waitForSinks() stands, for a progress line. */
export interface WaitProgress {
  readonly stage: 'snapshot' | 'transactions' | 'source' | 'transform' | 'sinks';
  /** Snapshots, transactions, bytes of WAL, or offsets, still to come. */
  readonly left: bigint;
}

/**
 * Waits until every sink holds all that was under way or committed at the source when it was called: first the snapshot is
 * complete, then those transactions have ended, then the connector has
 * confirmed that LSN (its records are in Kafka then), then the transform has passed the raw topics' ends of
 * that moment, then each sink the clean topics'. No wait by the clock.
 */
export async function waitForSinks(
  config: Config,
  datasets: readonly Dataset[],
  options: { signal: AbortSignal; onProgress?: (progress: WaitProgress) => void; pollMs?: number },
): Promise<{ lsn: string }> {
  const { signal, onProgress, pollMs = 100 } = options;
  const poll = async (stage: WaitProgress['stage'], left: () => Promise<bigint>) => {
    for (;;) {
      const rest = await left();
      onProgress?.({ stage, left: rest });
      if (rest === 0n) return;
      await sleep(pollMs, undefined, { signal });
    }
  };
  const source = new Client(postgresOptions(config.postgres));
  const admin = createKafka(config, 'wait').admin();
  await Promise.all([source.connect(), admin.connect()]);
  try {
    const connect = new ConnectClient(config.connect);
    const name = names.connectorName(config);
    await poll('snapshot', async () => ((await phaseOf(connect, name)) === 'streaming' ? 0n : 1n));
    const underWay = await source.query<{ next: string }>(
      'select pg_snapshot_xmax(pg_current_snapshot())::text as next',
    );
    await poll('transactions', () => unfinished(source, underWay.rows[0]!.next));
    const { rows } = await source.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
    const { lsn } = rows[0]!;
    await poll('source', () => unconfirmed(source, config, lsn));
    const raw = datasets.map((d) => names.rawTopic(config, d.table));
    await passed(admin, names.transformGroup(config), raw, (left) => poll('transform', left));
    await cleanPassed(admin, config, datasets, (left) => poll('sinks', left));
    return { lsn };
  } finally {
    await Promise.all([source.end(), admin.disconnect()]);
  }
}

/** Waits until the connector has written all that is committed at the source now. */
export async function waitForCapture(
  config: Config,
  { signal, pollMs = 100 }: { signal: AbortSignal; pollMs?: number },
): Promise<void> {
  await withSource(config.postgres, async (client) => {
    const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
    while ((await unconfirmed(client, config, rows[0]!.lsn)) > 0n) await sleep(pollMs, undefined, { signal });
  });
}

/** Waits until every sink has what its clean topics hold now. */
export async function waitForCleanTopics(
  config: Config,
  datasets: readonly Dataset[],
  { signal, pollMs = 100 }: { signal: AbortSignal; pollMs?: number },
): Promise<void> {
  const admin = createKafka(config, 'wait').admin();
  await admin.connect();
  try {
    await cleanPassed(admin, config, datasets, async (left) => {
      while ((await left()) > 0n) await sleep(pollMs, undefined, { signal });
    });
  } finally {
    await admin.disconnect();
  }
}

async function cleanPassed(
  admin: Admin,
  config: Config,
  datasets: readonly Dataset[],
  poll: (left: () => Promise<bigint>) => Promise<void>,
): Promise<void> {
  for (const sink of sinkNames) {
    const fed = datasets.filter((d) => d.contract.sinks.includes(sink));
    const clean = fed.map((d) => names.cleanTopic(config, d.table));
    await passed(admin, names.sinkGroup(config, sink), clean, poll);
  }
}

/** Unknown while Kafka Connect does not answer, as for half a minute and more when it has lost its brokers. */
async function phaseOf(connect: ConnectClient, name: string): Promise<CapturePhase | undefined> {
  try {
    return await connect.phase(name);
  } catch (error) {
    if (error instanceof LetheError && isRetriable(error.code)) return undefined;
    throw error;
  }
}

/** Transactions older than `next` that have neither committed nor rolled back. */
async function unfinished(source: Client, next: string): Promise<bigint> {
  const { rows } = await source.query<{ left: string }>(
    `select count(*)::text as left from pg_snapshot_xip(pg_current_snapshot()) as xid where xid < $1::xid8`,
    [next],
  );
  return BigInt(rows[0]!.left);
}

/** SLOT_LOST where nothing will ever come: whoever waits must not wait for it. A slot that is not there yet is waited for. */
async function unconfirmed(source: Pick<Client, 'query'>, config: Config, lsn: string): Promise<bigint> {
  const slot = names.slotName(config);
  const { rows } = await source.query<{ left: string | null; lost: boolean }>(
    `select greatest(0, pg_wal_lsn_diff($1::pg_lsn, confirmed_flush_lsn))::text as left, wal_status = 'lost' as lost
       from pg_replication_slots where slot_name = $2`,
    [lsn, slot],
  );
  if (rows[0]?.lost) {
    throw new LetheError('SLOT_LOST', `the slot ${slot} is lost: changes were made that nobody will see`, {
      fix: 'Run `lethe check`: it says what to do.',
    });
  }
  return BigInt(rows[0]?.left ?? '1');
}

/** Waits until the group has committed up to the topics' present ends. */
async function passed(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
  poll: (left: () => Promise<bigint>) => Promise<void>,
): Promise<void> {
  const ends = new Map<string, bigint>();
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(high) > BigInt(low)) ends.set(`${topic}/${partition}`, BigInt(high));
    }
  }
  await poll(async () => {
    let left = 0n;
    for (const { topic, partition, committed, lag } of await groupLag(admin, groupId, topics)) {
      const end = ends.get(`${topic}/${partition}`);
      if (end === undefined || lag === 0n) continue;
      const behind = end - (committed ?? 0n);
      if (behind > 0n) left += behind;
    }
    return left;
  });
}
