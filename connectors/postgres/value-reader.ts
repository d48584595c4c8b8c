import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolConfig } from 'pg';
import { postgresPool } from '../../pipeline/postgres-pool.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { tableParts } from '../../schemas/contract.ts';
import { LetheError } from '../../schemas/errors.ts';
import { type PrintedValue, printedValues } from './printed-values.ts';

/** A row to read, by its canonical key, as of a moment when a transaction (32 bits, as in the change event) is visible. */
export interface RowKey {
  readonly key: readonly string[];
  readonly txId: bigint | undefined;
}

/** A row's values by column, and the transaction (32 bits) that wrote it; null if there is no such row any more. */
export type ReadRow = {
  readonly values: ReadonlyMap<string, PrintedValue>;
  readonly writtenBy: bigint;
} | null;

/**
 * Reads current values of single columns at the source, by primary key: unchanged TOAST values, and composites, which change
 * events have without their fields' names. Debezium's own post-processor does not serve: it may read before the change's
 * transaction is visible, and so an older value.
 */
export class ValueReader {
  private readonly pool: Pool;
  private readonly datasets: ReadonlyMap<string, Dataset>;

  constructor(options: PoolConfig, datasets: readonly Dataset[]) {
    this.pool = postgresPool({
      ...options,
      max: 4,
      // Before any other query of a connection, which is of no use without it.
      verify: (client, done) => void client.query(session).then(() => done(), done),
    });
    this.datasets = new Map(datasets.map((d) => [d.table, d]));
  }

  /**
   * The rows' values, in the rows' order, as of one moment when all their transactions are visible.
   *
   * A commit reaches the replication stream before other sessions see it: read in between, the row would show what it
   * was before that very transaction. So a snapshot that still lacks it is not taken.
   */
  async read(
    table: string,
    rows: readonly RowKey[],
    columns: readonly string[],
  ): Promise<readonly ReadRow[]> {
    const dataset = this.datasets.get(table)!;
    const text = statement(dataset, columns);
    const keys = dataset.key.map((_, part) => rows.map(({ key }) => key[part]!));
    const transactions = [...new Set(rows.flatMap(({ txId }) => txId ?? []))];
    for (let attempt = 1; attempt <= mostLooks; attempt++) {
      const read = await this.look(table, text, keys);
      const snapshot = read[0]![snapshotColumn] as string;
      if (transactions.every((txId) => sees(snapshot, txId))) {
        const found = new Map(read.map((row) => [row[placeColumn], row]));
        return rows.map((_, i) => {
          const row = found.get(String(i + 1));
          return row ? readRow(row, columns) : null;
        });
      }
      await sleep(Math.min(attempt, 50));
    }
    throw new LetheError('UNREACHABLE', 'the source does not show a transaction that it has streamed');
  }

  private async look(
    table: string,
    text: string,
    keys: readonly (readonly string[])[],
  ): Promise<readonly Printed[]> {
    try {
      return (await this.pool.query<Printed>({ text, values: [...keys], types: printedValues })).rows;
    } catch (cause) {
      const state = (cause as { code?: unknown }).code;
      // A column or table that is gone cannot be waited for; all else is the server's trouble.
      if (state === '42703' || state === '42P01') {
        throw new LetheError('VALUE_UNRESOLVED', `a column of ${table} is gone at the source`);
      }
      // The functions that make JSON of composites and arrays take nothing else.
      if (state === '42883') {
        const message = `a column of ${table} no longer has the type its contract was applied with`;
        throw new LetheError('SCHEMA_UNEXPECTED', message);
      }
      const what = typeof state === 'string' ? state : 'connection';
      throw new LetheError('UNREACHABLE', `the source does not answer (${what})`);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

const mostLooks = 400;
const snapshotColumn = '_lethe_snapshot';
const placeColumn = '_lethe_place';
const writerColumn = '_lethe_xmin';

/** A row of the statement's: undefined for what is not compared with what an event prints. */
type Printed = Record<string, PrintedValue | undefined>;

function readRow(row: Printed, columns: readonly string[]): ReadRow {
  const values = new Map<string, PrintedValue>();
  for (const name of columns) {
    const value = row[name];
    if (value !== undefined) values.set(name, value);
  }
  return { values, writtenBy: BigInt(row[writerColumn] as string) };
}

/** What stands in a composite is printed as the session says: instants in UTC, dates as ISO, bytes in hex, floats that read back equal. */
const session = `
  set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601';
  set bytea_output = 'hex'; set extra_float_digits = 1`;

/**
 * One row at least: the statement's own snapshot, with it the values of each row that there is, by its place among the keys. `$1`, `$2` …
 * are arrays, one for each column of the key, which take their types from the table's columns.
 */
function statement(dataset: Dataset, columns: readonly string[]): string {
  const { schema, table } = tableParts(dataset.table);
  const selected = columns.map((name) => {
    const column = dataset.columns.find((c) => c.name === name);
    if (column?.source === 'array') return `array_to_json(t.${quote(name)}::text[]) as ${quote(name)}`;
    // Both fail for a column that has become anything else.
    if (column?.source === 'list') return `array_to_json(t.${quote(name)})::text as ${quote(name)}`;
    if (column?.source === 'composite') return `row_to_json(t.${quote(name)})::text as ${quote(name)}`;
    // Of hstore Debezium makes JSON, as its cast does; json and jsonb stay as they are.
    if (column?.source === 'json') return `to_json(t.${quote(name)})::text as ${quote(name)}`;
    return `t.${quote(name)}`;
  });
  const from = `${quote(schema)}.${quote(table)}`;
  const names = dataset.key.map(({ name }) => quote(name));
  const arrays = names.map(
    (name, i) => `coalesce((select array_agg(${name}) from ${from} where false), $${i + 1})`,
  );
  const parts = names.map((_, i) => `part${i}`);
  const isRow = names.map((name, i) => `t.${name} = k.${parts[i]}`).join(' and ');
  const rows = `select k.place as ${placeColumn}, t.xmin as ${writerColumn}, ${selected.join(', ')}
    from unnest(${arrays.join(', ')}) with ordinality as k(${parts.join(', ')}, place) join ${from} t on ${isRow}`;
  return `select s.*, r.* from (select pg_current_snapshot()::text as ${snapshotColumn}) s left join lateral (${rows}) r on true`;
}

/**
 * Does a snapshot (`xmin:xmax:xip,…`, 64-bit ids) see the transaction whose lowest 32 bits are given? It is at most 2^31
 * away from xmax, so its upper bits follow.
 */
export function sees(snapshot: string, txId: bigint): boolean {
  const [, xmaxText, xipText] = snapshot.split(':') as [string, string, string];
  const xmax = BigInt(xmaxText);
  let full = (xmax & ~0xffff_ffffn) | (txId & 0xffff_ffffn);
  if (full > xmax + 0x8000_0000n) full -= 0x1_0000_0000n;
  else if (full + 0x8000_0000n < xmax) full += 0x1_0000_0000n;
  if (full >= xmax) return false;
  return !xipText.split(',').includes(String(full));
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
