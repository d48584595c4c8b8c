import { incomplete } from '../../erasure/incomplete.ts';
import type { OpenErasure, StepWork } from '../../erasure/runner.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import type { Version } from '../../schemas/version.ts';
import { parseVersion } from '../../schemas/version.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { removeOlderRows } from '../../sinks/clickhouse/remove-rows.ts';
import { dropReplacedParts } from '../../sinks/clickhouse/replaced-parts.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { removeDocuments } from '../../sinks/elasticsearch/remove-documents.ts';
import type { Waiting } from '../../sinks/removal.ts';
import { waitForCleanTopics } from '../wait-for-sinks.ts';
import { removeBySubject } from './by-subject.ts';
import { batchOf, datasetsOf, type ErasureContext, typesOf } from './context.ts';

/** For what a store does in its own time, as merges and mutations. */
export const storeLimitMs = 300_000;

/**
 * Nothing of the persons is in a store, nor on its disk: neither records that tombstones replace, nor what somebody else wrote under other keys.
 */
export function storesClearedWork(context: ErasureContext): StepWork {
  return async (erasures, signal) => {
    const results = await recordsClearedWork(context)(erasures, signal);
    const looks = await removeBySubject(context, erasures, { signal, limitMs: storeLimitMs });
    const foundBySubject = looks.reduce((sum, { found }) => sum + found, 0);
    return results.map((result) => ({ ...result, evidence: { ...result.evidence, foundBySubject } }));
  };
}

/**
 * Sinks have written the tombstones, and what those replaced is taken out of parts and segments. Tombstones stay: they make older writes lose
 * for ever. `versionsOf`: the tombstone of each record, by key.
 */
export function recordsClearedWork(
  context: ErasureContext,
  versionsOf: (
    erasures: readonly OpenErasure[],
    dataset: Dataset,
  ) => ReadonlyMap<string, Version> = removedRows,
): StepWork {
  return async (erasures, signal) => {
    const { config } = context.project;
    const datasets = datasetsOf(context, typesOf(erasures));
    context.say('waiting for the stores to have every tombstone');
    const began = performance.now();
    await waitForCleanTopics(config, datasets, { signal });
    const counts = {
      acknowledgedMs: Math.round(performance.now() - began),
      rowsRemoved: 0,
      mutations: 0,
      documentsHeld: 0,
      deletedExpunged: 0,
    };
    let left = 0;
    const waiting: Waiting = { signal, limitMs: storeLimitMs };
    const due = datasets.map((dataset) => ({ dataset, rows: versionsOf(erasures, dataset) }));
    // Elasticsearch keeps what is deleted for half a minute: all indexes wait for that together.
    await Promise.all(
      due.map(async ({ dataset, rows }) => {
        if (rows.size === 0) return;
        context.say(`clearing the stores of ${dataset.table}`);
        const tables = await clearClickhouse(
          context,
          dataset,
          rows,
          batchOf(erasures, dataset.table),
          waiting,
        );
        for (const { rowsBefore, rowsAfter, mutations } of tables) {
          counts.rowsRemoved += rowsBefore - rowsAfter;
          counts.mutations += mutations;
          left += rowsAfter;
        }
        for (const index of await clearElasticsearch(context, dataset, rows, waiting)) {
          counts.documentsHeld += index.documentsBefore;
          counts.deletedExpunged += index.deletedBefore - index.deletedAfter;
          left += index.documentsAfter;
        }
      }),
    );
    if (left > 0) throw incomplete('rows and documents that no tombstone has replaced', left);
    return erasures.map(({ inventory }) => ({ evidence: { ...counts }, inventory }));
  };
}

/**
 * What was deleted or replaced goes off the stores' disks, whoever's it was: a row that a person gave to somebody else lies in segments and
 * parts for a while, and no record tells of it any more.
 */
export async function replacedCleared(
  context: ErasureContext,
  erasures: readonly OpenErasure[],
  waiting: Waiting,
): Promise<void> {
  const { config } = context.project;
  await Promise.all(
    datasetsOf(context, typesOf(erasures)).map(async (dataset) => {
      await clearElasticsearch(context, dataset, new Map(), waiting);
      if (!config.clickhouse || !dataset.contract.sinks.includes('clickhouse')) return;
      const client = createClickhouseClient(config.clickhouse);
      try {
        await dropReplacedParts(client, config, dataset, waiting);
      } finally {
        await client.close();
      }
    }),
  );
}

/** Just above the barrier, as the tombstones are. */
function removedRows(erasures: readonly OpenErasure[], { table }: Dataset): Map<string, Version> {
  const rows = new Map<string, Version>();
  for (const { inventory } of erasures) {
    const barrier = parseVersion(inventory.barrier!)!;
    for (const record of [...inventory.records, ...inventory.others]) {
      if (record.table === table) rows.set(record.key, { ...barrier, seq: barrier.seq + 1n });
    }
  }
  return rows;
}

async function clearClickhouse(
  { project: { config } }: ErasureContext,
  dataset: Dataset,
  rows: ReadonlyMap<string, Version>,
  batch: string,
  waiting: Waiting,
) {
  if (!config.clickhouse || !dataset.contract.sinks.includes('clickhouse')) return [];
  const client = createClickhouseClient(config.clickhouse);
  try {
    return await removeOlderRows(client, config, dataset, rows, batch, waiting);
  } finally {
    await client.close();
  }
}

async function clearElasticsearch(
  { project: { config } }: ErasureContext,
  dataset: Dataset,
  rows: ReadonlyMap<string, Version>,
  waiting: Waiting,
) {
  if (!config.elasticsearch || !dataset.contract.sinks.includes('elasticsearch')) return [];
  // A merge of large segments answers when it is done.
  const client = createElasticsearchClient(config.elasticsearch, storeLimitMs);
  try {
    return await removeDocuments(client, config, dataset, rows, waiting);
  } finally {
    await client.close();
  }
}
