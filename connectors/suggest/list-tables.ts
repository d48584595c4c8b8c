import type { ClientBase } from 'pg';
import { sourceSchema } from '../../schemas/names.ts';

/** Schema of the key store, which may lie in the same database. */
const keyStoreSchema = 'lethe_keys';

/** A table or something like one; its parts as Postgres has them. */
export interface ListedTable {
  readonly schema: string;
  readonly table: string;
}

/** Everything with rows that the role sees: not the server's own, an extension's, a session's or Lethe's. */
export async function listTables(client: ClientBase): Promise<ListedTable[]> {
  const { rows } = await client.query<ListedTable>(sql, [[sourceSchema, keyStoreSchema]]);
  return rows;
}

const sql = `
select n.nspname::text as schema, c.relname::text as table
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't'
  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and n.nspname <> all ($1)
  and pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  and not exists (select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 1, 2`;
