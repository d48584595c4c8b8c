import { quoteName, type TextRow } from '../postgres.ts';
import { VerifyError } from '../verify-error.ts';

export type Query = (sql: string, values?: unknown[]) => Promise<TextRow[]>;

/** Domains are followed to their base type. */
const columnsSql = `
  WITH RECURSIVE base(start, type, modifier) AS (
    SELECT oid, oid, -1 FROM pg_type
    UNION ALL
    SELECT b.start, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
  )
  SELECT a.attname AS name, t.typname AS type, t.typtype AS type_type,
         greatest(a.atttypmod, b.modifier) AS modifier,
         array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) AS key_place
  FROM pg_attribute a
  JOIN base b ON b.start = a.atttypid
  JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
  LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;

/** The columns of a table, in its order; `key_place` says which are its key. */
export async function columnsOf(query: Query, table: string): Promise<TextRow[]> {
  const rows = await query(columnsSql, [qualifiedName(table)]);
  if (rows.length === 0) throw new VerifyError('NOT_COVERED', `there is no table ${table}`);
  return rows;
}

/** `schema.table`, quoted for SQL. */
export function qualifiedName(table: string): string {
  const dot = table.indexOf('.');
  return `${quoteName(table.slice(0, dot))}.${quoteName(table.slice(dot + 1))}`;
}
