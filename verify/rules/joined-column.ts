import { quoteName, type TextRow } from '../postgres.ts';
import { VerifyError } from '../verify-error.ts';
import { columnsOf, qualifiedName, type Query } from './table-columns.ts';

/** The column at the end of a path over foreign keys, for a query in which the table itself is `t`. */
export interface JoinedColumn {
  /** As it is written in the query. */
  readonly sql: string;
  /** What must stand after `FROM … t`. */
  readonly joins: string;
  /** Its row of the catalog. */
  readonly row: TextRow;
}

/** Joins each table of the path by its primary key: the value is null where a row is missing on the way. */
export async function joinColumn(
  query: Query,
  table: string,
  [own, ...hops]: readonly string[],
  prefix: string,
): Promise<JoinedColumn> {
  let sql = `t.${quoteName(own!)}`;
  let row = columnNamed(await columnsOf(query, table), table, own!);
  const joins: string[] = [];
  for (const [i, hop] of hops.entries()) {
    const at = hop.lastIndexOf('.');
    const [other, name] = [hop.slice(0, at), hop.slice(at + 1)];
    const rows = await columnsOf(query, other);
    const key = rows.filter((column) => column['key_place'] !== null);
    if (key.length !== 1) throw new VerifyError('NOT_COVERED', `${other} has no primary key of one column`);
    const alias = `${prefix}${i}`;
    joins.push(
      ` LEFT JOIN ${qualifiedName(other)} ${alias} ON ${alias}.${quoteName(key[0]!['name']!)} = ${sql}`,
    );
    sql = `${alias}.${quoteName(name)}`;
    row = columnNamed(rows, other, name);
  }
  return { sql, joins: joins.join(''), row };
}

function columnNamed(rows: readonly TextRow[], table: string, name: string): TextRow {
  const row = rows.find((column) => column['name'] === name);
  if (!row) throw new VerifyError('NOT_COVERED', `${table} has no column ${name}, which a path names`);
  return row;
}
