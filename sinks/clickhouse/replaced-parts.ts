import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { clickhouseDatabase } from '../../schemas/names.ts';
import type { Waiting } from '../removal.ts';
import { command } from './command.ts';
import { qualified, type TablePlace } from './mutation.ts';
import { ownTables } from './own-tables.ts';
import { query } from './query.ts';
import { readTable } from './table-state.ts';

/**
 * ClickHouse keeps a part for eight minutes after another has replaced it, since it does not wait until that is safely on the disk.
 * While old parts go at once, new ones are written so that a power failure cannot take them.
 */
const hurried = {
  old_parts_lifetime: 1,
  min_rows_to_fsync_after_merge: 1,
  min_compressed_bytes_to_fsync_after_merge: 1,
} as const;
const lookMs = 250;
/** It sweeps once a second at most. */
const sweepMs = 1_100;

/** Has replaced parts go from the disk soon. */
export async function hurryParts(client: ClickHouseClient, place: TablePlace): Promise<void> {
  const settings = Object.entries(hurried).map(([name, value]) => `${name} = ${value}`);
  const sql = `ALTER TABLE ${qualified(place)} MODIFY SETTING ${settings.join(', ')}`;
  await command(client, sql, `change settings of ${place.database}.${place.table}`);
}

/** Whether a removal that was cut short has left it so. */
export async function isHurried(client: ClickHouseClient, { database, table }: TablePlace): Promise<boolean> {
  const state = await readTable(client, database, table);
  return state?.engineFull.includes(`old_parts_lifetime = ${hurried.old_parts_lifetime}`) ?? false;
}

/** Gives the table its own settings back. */
export async function relaxParts(client: ClickHouseClient, place: TablePlace): Promise<void> {
  const sql = `ALTER TABLE ${qualified(place)} RESET SETTING ${Object.keys(hurried).join(', ')}`;
  await command(client, sql, `change settings of ${place.database}.${place.table}`);
}

/** Names of parts that others have replaced and that are still on the disk. */
export async function replacedParts(client: ClickHouseClient, place: TablePlace): Promise<string[]> {
  const rows = await query<{ name: string }>(
    client,
    'SELECT name FROM system.parts WHERE database = {database:String} AND table = {table:String} AND NOT active',
    { ...place },
    'read the catalog',
  );
  return rows.map(({ name }) => name);
}

/** How many parts were put aside, by a person or as broken ones: no mutation comes to them. */
export async function detachedParts(client: ClickHouseClient, place: TablePlace): Promise<number> {
  const [row] = await query<{ parts: number }>(
    client,
    'SELECT toUInt32(count()) AS parts FROM system.detached_parts WHERE database = {database:String} AND table = {table:String}',
    { ...place },
    'read the catalog',
  );
  return row!.parts;
}

/**
 * Resolves when the parts that are replaced now have left the disk, and says how many they were. A query that reads one keeps it. Fails
 * with SERVER_FAILED after the limit.
 */
export async function partsGone(
  client: ClickHouseClient,
  place: TablePlace,
  { signal, limitMs }: Waiting,
): Promise<number> {
  const awaited = new Set(await replacedParts(client, place));
  const deadline = performance.now() + limitMs;
  let sweepAt = 0;
  for (let left = awaited.size; left > 0; ) {
    if (performance.now() >= sweepAt) {
      await sweep(client, place);
      sweepAt = performance.now() + sweepMs;
    }
    if (performance.now() > deadline) {
      throw new LetheError(
        'SERVER_FAILED',
        `${left} replaced parts of ${place.database}.${place.table} are on the disk after ${limitMs / 1_000} s.`,
        { fix: 'Look whether a long query reads them (system.processes); it is tried again.' },
      );
    }
    // A server at rest looks for such parts only every some minutes; this has it look now. Who may not say so waits.
    await command(client, `SYSTEM START CLEANUP ${qualified(place)}`, 'have replaced parts go').catch(
      () => {},
    );
    await sleep(lookMs, undefined, { signal });
    left = (await replacedParts(client, place)).filter((name) => awaited.has(name)).length;
  }
  return awaited.size;
}

/** The same of all tables of a dataset, those of a rebuilding too, and soon. */
export async function dropReplacedParts(
  client: ClickHouseClient,
  config: Pick<Config, 'name' | 'topics' | 'clickhouse'>,
  { table: dataset }: Pick<Dataset, 'table'>,
  waiting: Waiting,
): Promise<void> {
  const database = clickhouseDatabase(config);
  for (const { name: table } of await ownTables(client, config, dataset)) {
    const place = { database, table };
    await hurryParts(client, place);
    try {
      await partsGone(client, place, waiting);
    } finally {
      await relaxParts(client, place);
    }
  }
}

/**
 * ClickHouse looks for parts that may go ever more seldom while nothing is written, down to once in minutes: this wakes it. Where the user may not,
 * or an older server does not know how, it is waited for.
 */
async function sweep(client: ClickHouseClient, place: TablePlace): Promise<void> {
  await command(client, `SYSTEM START CLEANUP ${qualified(place)}`, 'wake the cleanup').catch(() => {});
}
