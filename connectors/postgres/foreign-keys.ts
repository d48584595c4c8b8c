import type { ClientBase } from 'pg';

/** What Postgres does with a row whose parent is deleted. */
export type OnDelete = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

/** A foreign key constraint: rows of `child` refer to rows of `parent`. */
export interface ForeignKey {
  readonly name: string;
  /** As SQL writes it, for SET CONSTRAINTS. */
  readonly constraint: string;
  /** `schema.table`, as contracts have it. */
  readonly child: string;
  readonly parent: string;
  /** The same as they may stand in SQL: a table that no contract could name has any name. */
  readonly childSql: string;
  readonly parentSql: string;
  readonly columns: readonly ForeignKeyColumn[];
  /** Columns of the parent, in the order of `columns`. */
  readonly referenced: readonly string[];
  readonly onDelete: OnDelete;
  readonly deferrable: boolean;
  /** Does an index lead with a column of it? Without one each deleted parent costs a walk through the child. */
  readonly indexed: boolean;
}

interface ForeignKeyColumn {
  readonly name: string;
  readonly nullable: boolean;
}

interface Row extends Omit<ForeignKey, 'onDelete'> {
  readonly on_delete: string;
}

const actions: Readonly<Record<string, OnDelete>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/** Every foreign key of the database, whoever's the tables are; of partitioned tables that of the whole. */
export async function readForeignKeys(client: ClientBase): Promise<ForeignKey[]> {
  const { rows } = await client.query<Row>(foreignKeysSql);
  return rows.map(({ on_delete, ...rest }) => ({ ...rest, onDelete: actions[on_delete]! }));
}

/** Which of these columns, as `schema.table` and name, an index of the whole table leads with. */
export async function indexedColumns(
  client: ClientBase,
  columns: readonly (readonly [table: string, column: string])[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ place: number }>(indexedSql, [
    columns.map(([table]) => table),
    columns.map(([, column]) => column),
  ]);
  return new Set(rows.map(({ place }) => columns[place - 1]!.join(' ')));
}

const foreignKeysSql = `
select c.conname::text as name, format('%I.%I', cn.nspname, c.conname) as constraint,
  n.nspname || '.' || r.relname as child, pn.nspname || '.' || p.relname as parent,
  format('%I.%I', n.nspname, r.relname) as "childSql", format('%I.%I', pn.nspname, p.relname) as "parentSql",
  c.confdeltype::text as on_delete, c.condeferrable as deferrable,
  (select json_agg(json_build_object('name', a.attname, 'nullable', not a.attnotnull) order by k.place)
   from unnest(c.conkey) with ordinality k(number, place)
   join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as columns,
  (select json_agg(a.attname order by k.place)
   from unnest(c.confkey) with ordinality k(number, place)
   join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number) as referenced,
  exists (select from pg_catalog.pg_index i
    where i.indrelid = c.conrelid and i.indisvalid and i.indpred is null and i.indkey[0] = any(c.conkey)) as indexed
from pg_catalog.pg_constraint c
join pg_catalog.pg_namespace cn on cn.oid = c.connamespace
join pg_catalog.pg_class r on r.oid = c.conrelid join pg_catalog.pg_namespace n on n.oid = r.relnamespace
join pg_catalog.pg_class p on p.oid = c.confrelid join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
where c.contype = 'f' and c.conparentid = 0
order by child, name`;

const indexedSql = `
select asked.place::int as place
from unnest($1::text[], $2::text[]) with ordinality asked(relation, column_name, place)
join pg_catalog.pg_namespace n on n.nspname = split_part(asked.relation, '.', 1)
join pg_catalog.pg_class r on r.relnamespace = n.oid and r.relname = split_part(asked.relation, '.', 2)
join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attname = asked.column_name
where exists (select from pg_catalog.pg_index i
  where i.indrelid = r.oid and i.indisvalid and i.indpred is null and i.indkey[0] = a.attnum)`;
