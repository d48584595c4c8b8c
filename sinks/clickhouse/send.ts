import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Verdict } from '../../pipeline/sink.ts';
import { mayBeARow, toLetheError } from './errors.ts';

/** Rows in RowBinary, one after the other; row i ends at ends[i]. */
export interface EncodedRows {
  readonly bytes: Buffer;
  readonly ends: readonly number[];
}

/** Where rows go: an INSERT with its columns, and the head that goes before every body. */
export interface Target {
  /** `database.table`, for messages. */
  readonly name: string;
  readonly insert: string;
  readonly header: Buffer;
}

/**
 * - An asynchronous insert would be acknowledged for a block that others share; the default differs by version.
 * - Deduplication would drop a repaired row silently, because the same block was once inserted before.
 */
const settings = { async_insert: 0, insert_deduplicate: 0 } as const;

/**
 * Inserts in one statement. ClickHouse takes or refuses a statement as a whole and does not name the row: when
 * rows may be at fault the statement is halved until each bad one stands alone. Throws when rows are not at fault.
 */
export async function sendRows(
  client: ClickHouseClient,
  target: Target,
  rows: EncodedRows,
): Promise<Verdict[]> {
  const count = rows.ends.length;
  if (count === 0) return [];
  try {
    await insert(client, target, rows, 0, count);
    return rows.ends.map(() => ({ outcome: 'written' }));
  } catch (error) {
    if (!mayBeARow(error)) throw toLetheError(error, `write to ${target.name}`);
  }
  // A table of other types refuses even no rows: then none of them is to blame.
  await insert(client, target, rows, 0, 0).catch((error: unknown) => {
    throw toLetheError(error, `write to ${target.name}`);
  });
  return await bisect(client, target, rows, 0, count);
}

/** Rows from..to were refused together. */
async function bisect(
  client: ClickHouseClient,
  target: Target,
  rows: EncodedRows,
  from: number,
  to: number,
): Promise<Verdict[]> {
  if (to - from === 1) return [{ outcome: 'rejected', code: 'RECORD_REJECTED' }];
  const middle = (from + to) >> 1;
  const verdicts: Verdict[] = [];
  for (const [start, end] of [
    [from, middle],
    [middle, to],
  ] as const) {
    try {
      await insert(client, target, rows, start, end);
      for (let i = start; i < end; i++) verdicts.push({ outcome: 'written' });
    } catch (error) {
      if (!mayBeARow(error)) throw toLetheError(error, `write to ${target.name}`);
      verdicts.push(...(await bisect(client, target, rows, start, end)));
    }
  }
  return verdicts;
}

async function insert(
  client: ClickHouseClient,
  target: Target,
  rows: EncodedRows,
  from: number,
  to: number,
): Promise<void> {
  const body = rows.bytes.subarray(from === 0 ? 0 : rows.ends[from - 1]!, to === 0 ? 0 : rows.ends[to - 1]!);
  const { stream } = await client.exec({
    query: target.insert,
    values: Readable.from(
      [target.header, body].filter((part) => part.length > 0),
      { objectMode: false },
    ),
    clickhouse_settings: settings,
  });
  // The connection is free again only when the answer, empty as it is, has been read.
  for await (const _ of stream);
}
