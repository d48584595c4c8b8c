import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { LetheError } from '../../schemas/errors.ts';
import type { Waiting } from '../removal.ts';
import { command } from './command.ts';
import { query } from './query.ts';
import { literal, quote } from './sql.ts';

/** A table in a database. */
export interface TablePlace {
  readonly database: string;
  readonly table: string;
}

/** Begins the names of all tables of keys. */
export const markOfRemovals = '_removed_';
const lookMs = 200;
const own = 'database = {database:String} AND table = {table:String}';

/**
 * Deletes rows by writing all parts that hold one anew, and resolves when every part is. A DELETE without ALTER would only hide them.
 * `mark` stands in the condition and tells this mutation from others. Fails with SERVER_FAILED where ClickHouse cannot do it, or not
 * within the limit; it is taken back then, as it would else be tried for ever and hold up later ones.
 */
export async function deleteRows(
  client: ClickHouseClient,
  place: TablePlace,
  condition: string,
  mark: string,
  { signal, limitMs }: Waiting,
): Promise<void> {
  const what = `remove rows from ${place.database}.${place.table}`;
  // A mutation may take longer than any request, whatever the server's default is.
  const sql = `ALTER TABLE ${qualified(place)} DELETE WHERE ${condition} SETTINGS mutations_sync = 0`;
  await command(client, sql, what);
  const deadline = performance.now() + limitMs;
  try {
    for (;;) {
      const [state] = await query<{ open: number; failed: number }>(
        client,
        // What failed is never read: it quotes rows.
        `SELECT toUInt32(countIf(is_done = 0)) AS open, toUInt32(countIf(is_done = 0 AND latest_fail_reason != '')) AS failed
         FROM system.mutations WHERE ${own} AND position(command, {mark:String}) > 0`,
        { ...place, mark },
        what,
      );
      if (state!.open === 0) return;
      if (state!.failed > 0) throw failed(place, 'failed');
      if (performance.now() > deadline) throw failed(place, `is not done after ${limitMs / 1_000} s`);
      await sleep(lookMs, undefined, { signal });
    }
  } catch (error) {
    await takeBack(client, place, mark).catch(() => {});
    throw error;
  }
}

/**
 * Ends mutations with this mark that are not done: somebody was cut short, and what they read is gone or made anew. Those of other
 * removals too, where they fail: their tables of keys are gone, and they would be in the way of all that come after.
 */
export async function takeBack(client: ClickHouseClient, place: TablePlace, mark: string): Promise<void> {
  const which = `database = ${literal(place.database)} AND table = ${literal(place.table)} AND is_done = 0`;
  const stuck = `position(command, ${literal(markOfRemovals)}) > 0 AND latest_fail_reason != ''`;
  await command(
    client,
    `KILL MUTATION WHERE ${which} AND (position(command, ${literal(mark)}) > 0 OR (${stuck})) SYNC`,
    'end what was begun before',
  );
}

/** The table's name in a statement. */
export function qualified({ database, table }: TablePlace): string {
  return `${quote(database)}.${quote(table)}`;
}

function failed({ database, table }: TablePlace, how: string): LetheError {
  return new LetheError('SERVER_FAILED', `The removal of rows from ${database}.${table} ${how}.`, {
    fix: 'Look at system.mutations and the log of ClickHouse; it is tried again.',
  });
}
