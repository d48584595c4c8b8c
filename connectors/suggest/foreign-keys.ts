import type { ClientBase } from 'pg';

/** A foreign key; tables as `schema.table`, columns in pairs. */
export interface ForeignKey {
  readonly table: string;
  readonly columns: readonly string[];
  readonly toTable: string;
  readonly toColumns: readonly string[];
  /** The columns are the whole primary key of their table: a row each. */
  readonly isKey: boolean;
  /** It refers to the whole primary key of the other table. */
  readonly toKey: boolean;
}

interface Row {
  readonly table: string;
  readonly columns: string[];
  readonly to_table: string;
  readonly to_columns: string[];
  readonly is_key: boolean;
  readonly to_key: boolean;
}

/** Every foreign key of the database, in the order of their tables and names. */
export async function readForeignKeys(client: ClientBase): Promise<ForeignKey[]> {
  const { rows } = await client.query<Row>(sql);
  return rows.map((row) => ({
    table: row.table,
    columns: row.columns,
    toTable: row.to_table,
    toColumns: row.to_columns,
    isKey: row.is_key,
    toKey: row.to_key,
  }));
}

/** Those of a partition that it has from its parent (conparentid) are its own as well. */
const sql = `
with keys as (
  select c.conrelid, c.confrelid, c.conkey, c.confkey, c.conname
  from pg_catalog.pg_constraint c where c.contype = 'f'
), primaries as (
  select i.indrelid, array(select unnest(i.indkey::int2[]) order by 1) as columns
  from pg_catalog.pg_index i where i.indisprimary
)
select n.nspname || '.' || t.relname as table, tn.nspname || '.' || tt.relname as to_table,
  (select array_agg(a.attname::text order by k.place) from unnest(keys.conkey) with ordinality as k(attnum, place)
   join pg_catalog.pg_attribute a on a.attrelid = keys.conrelid and a.attnum = k.attnum) as columns,
  (select array_agg(a.attname::text order by k.place) from unnest(keys.confkey) with ordinality as k(attnum, place)
   join pg_catalog.pg_attribute a on a.attrelid = keys.confrelid and a.attnum = k.attnum) as to_columns,
  exists (select from primaries p where p.indrelid = keys.conrelid
    and p.columns = array(select unnest(keys.conkey) order by 1)) as is_key,
  exists (select from primaries p where p.indrelid = keys.confrelid
    and p.columns = array(select unnest(keys.confkey) order by 1)) as to_key
from keys
join pg_catalog.pg_class t on t.oid = keys.conrelid join pg_catalog.pg_namespace n on n.oid = t.relnamespace
join pg_catalog.pg_class tt on tt.oid = keys.confrelid join pg_catalog.pg_namespace tn on tn.oid = tt.relnamespace
order by 1, keys.conname`;
