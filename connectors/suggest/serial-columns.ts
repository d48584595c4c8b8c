import type { ClientBase } from 'pg';

/** Columns (`schema.table.column`) that a sequence numbers: identity columns, serials and their like. */
export async function readSerialColumns(client: ClientBase): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(sql);
  return new Set(rows.map((row) => row.name));
}

/**
 * A default that takes from a sequence depends on it. The expression itself is not asked for: pg_get_expr would wait for
 * whoever has locked the table.
 */
const sql = `
select n.nspname || '.' || c.relname || '.' || a.attname as name
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and (a.attidentity <> '' or exists (
  select from pg_catalog.pg_attrdef f
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = f.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
  join pg_catalog.pg_class s on s.oid = d.refobjid and s.relkind = 'S'
  where f.adrelid = a.attrelid and f.adnum = a.attnum))`;
