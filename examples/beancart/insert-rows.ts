import type { ClientBase } from 'pg';
import type { Row, Table } from './row.ts';

/** Inserts all rows with one statement; all have the columns of the first. Returns how many. */
export async function insertRows(client: ClientBase, table: Table, rows: readonly Row[]): Promise<number> {
  if (rows.length === 0) return 0;
  const result = await client.query(insertSql(table, rows), [JSON.stringify(rows)]);
  return result.rowCount ?? 0;
}

/** The statement; its one parameter is the rows as JSON. Values never stand in the text, which logs may show. */
export function insertSql(table: Table, rows: readonly Row[]): string {
  const columns = Object.keys(rows[0]!).join(', ');
  return `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1)`;
}
