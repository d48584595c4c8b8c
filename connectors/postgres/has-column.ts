import type { ClientBase } from 'pg';

/** Whether a table that is there (`schema.table`, as it may stand in SQL) has the column. */
export async function hasColumn(client: ClientBase, table: string, column: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'select 1 from pg_catalog.pg_attribute where attrelid = $1::regclass and attname = $2 and not attisdropped',
    [table, column],
  );
  return rowCount === 1;
}
