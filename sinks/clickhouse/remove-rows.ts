import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase } from '../../schemas/names.ts';
import type { RemovedRows, Waiting } from '../removal.ts';
import { isOlder, KeyBatch } from './key-batch.ts';
import { deleteRows, takeBack, type TablePlace } from './mutation.ts';
import { type OwnTable, ownTables } from './own-tables.ts';
import { query } from './query.ts';
import {
  detachedParts,
  hurryParts,
  isHurried,
  partsGone,
  relaxParts,
  replacedParts,
} from './replaced-parts.ts';

type Named = Pick<Config, 'name' | 'topics' | 'clickhouse'>;

/** What was done, and is left, in one table; numbers alone. */
export interface RemovedFromTable {
  readonly table: string;
  /** Older rows under the keys, those that a newer one replaces too. */
  readonly rowsBefore: number;
  readonly rowsAfter: number;
  readonly mutations: number;
  /** Parts that were replaced and are gone from the disk. */
  readonly partsAwaited: number;
  /** Parts that were put aside: nobody looks into them. */
  readonly partsDetached: number;
}

/**
 * Takes the older rows under these keys off the disk, in the tables of all generations and of a rebuilding. Tombstones stay. In a table that is written to
 * only what a tombstone there replaces goes: a row that is removed before the sink has written the tombstone could come back, so it is
 * left, and counts in `rowsAfter`. What arrives meanwhile counts there too; it is called again then.
 *
 * No key stands in a statement. A batch that was cut short is taken up with the same id, and a second call does nothing more.
 * Fails with SERVER_FAILED after the limit, which holds for each table's mutation and for its parts.
 */
export async function removeOlderRows(
  client: ClickHouseClient,
  config: Named,
  dataset: Dataset,
  rows: RemovedRows,
  batchId: string,
  waiting: Waiting,
): Promise<RemovedFromTable[]> {
  const database = clickhouseDatabase(config);
  const tables = await ownTables(client, config, dataset.table);
  if (tables.length === 0 || rows.size === 0) return [];
  const batch = new KeyBatch(client, database, dataset, batchId);
  for (const { name: table } of tables) await takeBack(client, { database, table }, batch.mark);
  try {
    await batch.write(rows);
    const removed: RemovedFromTable[] = [];
    for (const table of tables) removed.push(await removeFrom(client, database, table, batch, waiting));
    return removed;
  } finally {
    await batch.drop();
  }
}

async function removeFrom(
  client: ClickHouseClient,
  database: string,
  { name: table, isWritten }: OwnTable,
  batch: KeyBatch,
  waiting: Waiting,
): Promise<RemovedFromTable> {
  const place = { database, table };
  const rowsBefore = await olderRows(client, place, batch);
  await batch.doom(table, isWritten);
  const gone = await removeDoomed(client, place, batch, waiting);
  const rowsAfter = await olderRows(client, place, batch);
  const partsDetached = await detachedParts(client, place);
  return { table, rowsBefore, rowsAfter, partsDetached, ...gone };
}

/** A list of rows that go, each by its key and version, in a table of the server's memory. */
export interface DoomedRows {
  readonly doomed: string;
  /** Part of the text of every statement about them. */
  readonly mark: string;
  /** Key columns. */
  columns(): string;
}

/** Takes the listed rows off the disk, and what was replaced before: merges may have met tombstones already. */
export async function removeDoomed(
  client: ClickHouseClient,
  place: TablePlace,
  list: DoomedRows,
  waiting: Waiting,
): Promise<Pick<RemovedFromTable, 'mutations' | 'partsAwaited'>> {
  const mutations = (await countOf(client, list.doomed)) > 0 ? 1 : 0;
  const isStirred =
    mutations > 0 || (await replacedParts(client, place)).length > 0 || (await isHurried(client, place));
  if (isStirred) await hurryParts(client, place);
  try {
    if (mutations > 0) {
      const key = `(${list.columns()}, _lethe_version)`;
      const condition = `_lethe_deleted = 0 AND ${key} IN (SELECT ${list.columns()}, _lethe_version FROM ${list.doomed})`;
      await deleteRows(client, place, condition, list.mark, waiting);
    }
    return { mutations, partsAwaited: await partsGone(client, place, waiting) };
  } finally {
    if (isStirred) await relaxParts(client, place);
  }
}

/** What is still there of older rows under these keys, in all tables: rows, and replaced or detached parts that may hold some. */
export async function rowsLeft(
  client: ClickHouseClient,
  config: Named,
  dataset: Dataset,
  rows: RemovedRows,
  batchId: string,
): Promise<{ readonly rows: number; readonly parts: number }> {
  const database = clickhouseDatabase(config);
  const batch = new KeyBatch(client, database, dataset, batchId);
  const left = { rows: 0, parts: 0 };
  try {
    await batch.write(rows);
    for (const { name: table } of await ownTables(client, config, dataset.table)) {
      const place = { database, table };
      left.rows += await olderRows(client, place, batch);
      left.parts += (await replacedParts(client, place)).length + (await detachedParts(client, place));
    }
  } finally {
    await batch.drop();
  }
  return left;
}

async function olderRows(client: ClickHouseClient, place: TablePlace, batch: KeyBatch): Promise<number> {
  return countOf(client, `${batch.joined(place.table)} AND ${isOlder}`);
}

/** How many rows that are; `from`: a table, and conditions. */
export async function countOf(client: ClickHouseClient, from: string): Promise<number> {
  const [row] = await query<{ rows: string | number }>(
    client,
    `SELECT count() AS rows FROM ${from}`,
    {},
    'count rows that are to go',
  );
  return Number(row!.rows);
}
