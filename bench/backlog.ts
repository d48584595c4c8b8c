import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { withSource } from '../connectors/postgres/source-client.ts';
import { type BenchConnector, resumeConnector } from './connector.ts';
import { insertRows } from './table.ts';
import type { BenchProject } from './bench-project.ts';

const rowsPerTransaction = 1_000;
const sampleEveryMs = 50;
/** Markers of transactions take offsets too, so all is there when the end has not moved for this long. */
const restMs = 1_000;
const limitMs = 300_000;

/** Inserts rows numbered from `first` on, a thousand in a transaction. */
export async function insertBacklog(project: BenchProject, first: number, rows: number): Promise<void> {
  await withSource(project.config.postgres, async (client) => {
    for (let at = first; at < first + rows; at += rowsPerTransaction) {
      await client.query(insertRows, [at, Math.min(at + rowsPerTransaction, first + rows) - 1]);
    }
  });
}

/**
 * Rows a second from the slot to Kafka: the connector goes on with `rows` waiting for it. Counted from the first records
 * in its topic to the last, so that the start of its task, one to two seconds, is no part of it.
 */
export async function backlogRate(
  connector: BenchConnector,
  rows: number,
  admin: Admin,
  signal: AbortSignal,
): Promise<number> {
  const before = await endOf(admin, connector.topic);
  await resumeConnector(connector);
  const started = performance.now();
  let first: Sample | undefined;
  let last: Sample = { atMs: started, records: 0 };
  for (;;) {
    const records = (await endOf(admin, connector.topic)) - before;
    const atMs = performance.now();
    if (records > last.records) last = { atMs, records };
    if (records > 0) first ??= last;
    if (first && last.records >= rows && atMs - last.atMs > restMs) {
      return (rows - first.records) / ((last.atMs - first.atMs) / 1_000);
    }
    if (atMs - started > limitMs) throw new Error(`${connector.name} wrote ${last.records} of ${rows} rows`);
    await sleep(sampleEveryMs, undefined, { signal });
  }
}

interface Sample {
  readonly atMs: number;
  readonly records: number;
}

async function endOf(admin: Admin, topic: string): Promise<number> {
  const partitions = await admin.fetchTopicOffsets(topic);
  return partitions.reduce((sum, { high }) => sum + Number(high), 0);
}
