import type { ClickHouseClient } from '@clickhouse/client';
import { toLetheError } from './errors.ts';

/** A table or view as ClickHouse's catalog describes it; only what Lethe compares. */
export interface TableState {
  readonly engine: string;
  readonly engineFull: string;
  readonly sortingKey: string;
  readonly partitionKey: string;
  readonly comment: string;
  readonly query: string;
  /** Name -> type. */
  readonly columns: ReadonlyMap<string, string>;
}

export async function databaseExists(client: ClickHouseClient, database: string): Promise<boolean> {
  const query = 'SELECT name FROM system.databases WHERE name = {database:String}';
  return (await rows(client, query, { database })).length > 0;
}

/** Undefined if there is no such table, or none that this user may see. */
export async function readTable(
  client: ClickHouseClient,
  database: string,
  table: string,
): Promise<TableState | undefined> {
  const where = 'WHERE database = {database:String}';
  const [found] = await rows(
    client,
    `SELECT engine, engine_full, sorting_key, partition_key, comment, as_select FROM system.tables ${where} AND name = {table:String}`,
    { database, table },
  );
  if (!found) return undefined;
  const columns = await rows(
    client,
    `SELECT name, type FROM system.columns ${where} AND table = {table:String} ORDER BY position`,
    { database, table },
  );
  return {
    engine: found['engine']!,
    engineFull: found['engine_full']!,
    sortingKey: found['sorting_key']!,
    partitionKey: found['partition_key']!,
    comment: found['comment']!,
    query: found['as_select']!,
    columns: new Map(columns.map((column) => [column['name']!, column['type']!])),
  };
}

/** Names and comments of a database's tables. */
export async function listTables(
  client: ClickHouseClient,
  database: string,
): Promise<{ readonly name: string; readonly comment: string }[]> {
  const query = 'SELECT name, comment FROM system.tables WHERE database = {database:String}';
  const found = await rows(client, query, { database });
  return found.map((row) => ({ name: row['name']!, comment: row['comment']! }));
}

/** Whether two queries are the same but for quoting and spaces. */
export async function sameQuery(client: ClickHouseClient, a: string, b: string): Promise<boolean> {
  const query = 'SELECT formatQuerySingleLine({a:String}) AS a, formatQuerySingleLine({b:String}) AS b';
  const [row] = await rows(client, query, { a, b });
  return row!['a'] === row!['b'];
}

async function rows(
  client: ClickHouseClient,
  query: string,
  params: Record<string, string>,
): Promise<Record<string, string>[]> {
  try {
    const answer = await client.query({ query, query_params: params, format: 'JSONEachRow' });
    return await answer.json();
  } catch (error) {
    throw toLetheError(error, 'read the catalog');
  }
}
