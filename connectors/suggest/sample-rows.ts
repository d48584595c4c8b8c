import type { ClientBase } from 'pg';
import { valueKind } from '../../schemas/value-kind.ts';
import type { CatalogColumn, CatalogTable } from '../postgres/catalog.ts';
import { quoteName, quoteTable } from '../postgres/quote.ts';
import { classifyValues, type Evidence } from './classify-values.ts';

/** What was seen of a table: evidence by column, or why there is none. */
export interface Sample {
  readonly rows: number;
  readonly evidence: ReadonlyMap<string, Evidence>;
  /** SQLSTATE of a statement that the server did not finish. */
  readonly failure?: string;
}

export const noSample: Sample = { rows: 0, evidence: new Map() };

/** A table that is busy or slow is not waited for: without a sample everything in doubt is protected. */
const statementTimeoutMs = 15_000;
const lockTimeoutMs = 2_000;
const mostChars = 2048;
/** 16 MB of blocks are looked at; more would not say more. */
const mostBlocks = 2048;

/**
 * Samples rows in a transaction that can only read, the same ones as long as the table is the same. The values are
 * counted and forgotten here: nothing of them is in what comes back, nor in an error.
 */
export async function sampleRows(client: ClientBase, table: CatalogTable, rows: number): Promise<Sample> {
  const columns = table.columns.filter(isSampled);
  if (rows === 0 || columns.length === 0) return noSample;
  try {
    await client.query(`begin transaction read only;
      set local statement_timeout = ${statementTimeoutMs}; set local lock_timeout = ${lockTimeoutMs};
      set local datestyle = 'ISO, YMD'; set local timezone = 'UTC'; select setseed(0)`);
    const percent = await percentOf(client, table);
    const result = await client.query<(string | null)[]>({
      text: statement(table, columns, percent, rows),
      rowMode: 'array',
    });
    const evidence = columns.map((column, index) => {
      const values = result.rows.map((row) => row[index]!);
      return [column.name, classifyValues(valueKind(column)!, values)] as const;
    });
    return { rows: result.rows.length, evidence: new Map(evidence) };
  } catch (error) {
    const state = (error as { code?: unknown }).code;
    // What is no SQLSTATE is a broken connection, and the caller's to tell.
    if (typeof state !== 'string' || !/^[0-9A-Z]{5}$/.test(state) || state.startsWith('57P')) throw error;
    return { ...noSample, failure: state };
  } finally {
    await client.query('rollback').catch(() => {});
  }
}

/** Bytes are never kept, so there is nothing to learn from them. */
function isSampled(column: CatalogColumn): boolean {
  const kind = valueKind(column);
  return column.readable && column.generation !== 'virtual' && kind !== undefined && kind !== 'bytes';
}

async function percentOf(client: ClientBase, table: CatalogTable): Promise<number> {
  const { rows } = await client.query<{ blocks: number }>(
    `select (pg_catalog.pg_relation_size($1::text::regclass) / current_setting('block_size')::int)::float8 as blocks`,
    [quoteTable(table.table)],
  );
  return Math.min(100, (100 * mostBlocks) / Math.max(1, rows[0]!.blocks));
}

/** Rows are chosen by their place alone, so that only the chosen ones are read in full. */
function statement(
  table: CatalogTable,
  columns: readonly CatalogColumn[],
  percent: number,
  rows: number,
): string {
  const name = quoteTable(table.table);
  const selected = columns.map((column) => `left(${quoteName(column.name)}::text, ${mostChars})`);
  return `select ${selected.join(', ')} from only ${name} where ctid = any(array(
    select ctid from only ${name} tablesample system (${percent}) repeatable (0) order by random() limit ${rows}))`;
}
