import type { ClientBase } from 'pg';

/** Columns (`schema.table.column`) that a sequence numbers: identity columns, serials and their like. */
export async function readSerialColumns(client: ClientBase): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(sql);
  return new Set(rows.map((row) => row.name));
}

const sql = `
select n.nspname || '.' || c.relname || '.' || a.attname as name
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped
  and (a.attidentity <> '' or (a.attgenerated = '' and pg_catalog.pg_get_expr(d.adbin, d.adrelid) like 'nextval(%'))`;
