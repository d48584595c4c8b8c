import type { ClientBase } from 'pg';
import { tableParts } from '../../schemas/contract.ts';
import type { SourceColumn, SourceTable } from '../../schemas/source-table.ts';
import { valueKind } from '../../schemas/value-kind.ts';
import { readShapes, type ValueShape } from './value-shape.ts';

export interface CatalogColumn extends SourceColumn {
  readonly generation: 'none' | 'stored' | 'virtual';
  /** May this role read it? */
  readonly readable: boolean;
  /** Of a timestamptz: digits of its fraction, as declared; 6 if nothing is. */
  readonly fractionDigits?: number;
  /** Of a composite, and of an array that no change event has. */
  readonly shape?: ValueShape;
}

/** A table with what the checks need beyond its shape. */
export interface CatalogTable extends SourceTable {
  readonly columns: readonly CatalogColumn[];
  /** A deferrable primary key is no replica identity: published, it makes the application's UPDATE fail. */
  readonly keyDeferrable: boolean;
  /** `p` permanent, `u` unlogged, `t` temporary. */
  readonly persistence: string;
  /** Plain inheritance: a SELECT reads the children's rows, the publication does not. */
  readonly hasChildren: boolean;
  /** May this role publish the table and change its replica identity? */
  readonly owned: boolean;
  /** Row security hides rows from this role, from a snapshot as well. */
  readonly rowsHidden: boolean;
}

export interface Catalog {
  /** As in server_version_num, for example 180004. */
  readonly serverVersion: number;
  /** Those of the asked tables that exist, by `schema.table`. */
  readonly tables: ReadonlyMap<string, CatalogTable>;
  /** Every table that a contract could name, for suggestions. */
  readonly names: readonly string[];
}

/** Reads the asked tables (`schema.table`, exact case) as this role sees them. */
export async function readCatalog(client: ClientBase, tables: readonly string[]): Promise<Catalog> {
  const parts = tables.map(tableParts);
  const asked = await client.query<TableRow>(tablesSql, [
    parts.map((p) => p.schema),
    parts.map((p) => p.table),
  ]);
  const names = await client.query<{ name: string; version: number }>(namesSql);
  const nested = asked.rows.flatMap(({ columns }) => (columns ?? []).filter(isNested));
  const shapeOf = await readShapes(
    client,
    nested.map(({ type }) => type),
  );
  return {
    serverVersion: names.rows[0]?.version ?? 0,
    tables: new Map(asked.rows.map((row) => [row.name, toTable(row, shapeOf)])),
    names: names.rows.flatMap((row) => (row.name ? [row.name] : [])),
  };
}

interface ColumnRow {
  readonly name: string;
  /** The base type's oid. */
  readonly type: number;
  readonly type_name: string;
  readonly type_kind: string;
  readonly type_text: string;
  readonly typmod: number;
  readonly nullable: boolean;
  readonly generated: string;
  readonly readable: boolean;
}

interface TableRow {
  readonly name: string;
  readonly rel_kind: string;
  readonly identity: string;
  readonly persistence: string;
  readonly has_children: boolean;
  readonly owned: boolean;
  readonly rows_hidden: boolean;
  readonly key: string[] | null;
  readonly key_deferrable: boolean | null;
  readonly columns: ColumnRow[] | null;
}

type ShapeOf = Awaited<ReturnType<typeof readShapes>>;

function toTable(row: TableRow, shapeOf: ShapeOf): CatalogTable {
  return {
    table: row.name,
    columns: (row.columns ?? []).map((column) => toColumn(column, shapeOf)),
    primaryKey: row.key ?? [],
    keyDeferrable: row.key_deferrable ?? false,
    replicaIdentity: identities[row.identity] ?? 'default',
    relKind: row.rel_kind,
    persistence: row.persistence,
    hasChildren: row.has_children,
    owned: row.owned,
    rowsHidden: row.rows_hidden,
  };
}

const identities: Readonly<Record<string, SourceTable['replicaIdentity']>> = {
  d: 'default',
  f: 'full',
  n: 'nothing',
  i: 'index',
};

function isNested(row: ColumnRow): boolean {
  const kind = valueKind({ typeName: row.type_name, typeKind: row.type_kind });
  return kind === 'composite' || kind === 'list';
}

function toColumn(row: ColumnRow, shapeOf: ShapeOf): CatalogColumn {
  return {
    name: row.name,
    typeName: row.type_name,
    typeKind: row.type_kind,
    typeText: row.type_text,
    ...(row.type_name === 'numeric' ? numericBounds(row.typmod) : {}),
    nullable: row.nullable,
    generated: row.generated !== '',
    generation: row.generated === 'v' ? 'virtual' : row.generated === 's' ? 'stored' : 'none',
    readable: row.readable,
    ...(row.type_name === 'timestamptz' ? { fractionDigits: row.typmod < 0 ? 6 : row.typmod } : {}),
    ...(isNested(row) ? { shape: shapeOf(row.type, row.type_text) } : {}),
  };
}

/**
 * numeric(p,s) from its type modifier, as bounds that every decimal type has (0 <= scale <= precision):
 * numeric(5,-2) holds what numeric(7,0) holds, numeric(3,5) what numeric(5,5) holds.
 */
export function numericBounds(typmod: number): { precision?: number; scale?: number } {
  if (typmod < 4) return {};
  const precision = ((typmod - 4) >> 16) & 0xffff;
  const scale = (((typmod - 4) & 0x7ff) ^ 0x400) - 0x400;
  if (scale < 0) return { precision: precision - scale, scale: 0 };
  return { precision: Math.max(precision, scale), scale };
}

/**
 * One row a table. A domain is followed to its base type, with the type modifier of the outermost domain that has
 * one. Since PostgreSQL 18 attnotnull is also set by a constraint that was never validated: such a column may hold
 * nulls.
 */
const tablesSql = `
with recursive asked as (
  select c.oid, n.nspname || '.' || c.relname as name, c.relkind, c.relreplident, c.relpersistence, c.relowner
  from unnest($1::text[], $2::text[]) as a(schema, name)
  join pg_catalog.pg_namespace n on n.nspname = a.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = a.name and c.relkind not in ('i', 'I', 't', 'c', 'S')
), base as (
  select a.attrelid, a.attnum, t.oid as type, t.typtype, t.typname, t.typbasetype, t.typtypmod, a.atttypmod as typmod,
         t.typnotnull
  from asked join pg_catalog.pg_attribute a on a.attrelid = asked.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_type t on t.oid = a.atttypid
  union all
  select b.attrelid, b.attnum, t.oid, t.typtype, t.typname, t.typbasetype, t.typtypmod,
         case when b.typmod = -1 then b.typtypmod else b.typmod end, b.typnotnull
  from base b join pg_catalog.pg_type t on t.oid = b.typbasetype
  where b.typtype = 'd'
)
select asked.name, relkind as rel_kind, relreplident as identity, relpersistence as persistence,
  relkind = 'r' and exists (select from pg_catalog.pg_inherits i where i.inhparent = asked.oid) as has_children,
  pg_catalog.pg_has_role(relowner, 'USAGE') as owned,
  pg_catalog.row_security_active(asked.oid) as rows_hidden,
  (select array_agg(a.attname::text order by k.place)
   from pg_catalog.pg_index i, unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
   join pg_catalog.pg_attribute a on a.attnum = k.attnum
   where i.indrelid = asked.oid and i.indisprimary and a.attrelid = asked.oid and k.place <= i.indnkeyatts) as key,
  (select not i.indimmediate from pg_catalog.pg_index i where i.indrelid = asked.oid and i.indisprimary) as key_deferrable,
  (select json_agg(json_build_object(
     'name', a.attname, 'type', b.type::int8, 'type_name', b.typname, 'type_kind', b.typtype, 'typmod', b.typmod,
     'type_text', pg_catalog.format_type(a.atttypid, a.atttypmod),
     'generated', a.attgenerated,
     'nullable', not (a.attnotnull or b.typnotnull) or exists (
        select from pg_catalog.pg_constraint n
        where n.conrelid = a.attrelid and n.contype = 'n' and n.conkey = array[a.attnum] and not n.convalidated),
     'readable', pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')) order by a.attnum)
   from base b join pg_catalog.pg_attribute a on a.attrelid = b.attrelid and a.attnum = b.attnum
   where b.attrelid = asked.oid and b.typtype <> 'd') as columns
from asked`;

const namesSql = `
select n.nspname || '.' || c.relname as name, current_setting('server_version_num')::int as version
from (select 1) as one
left join pg_catalog.pg_class c on c.relkind in ('r', 'p')
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid is null or n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`;
