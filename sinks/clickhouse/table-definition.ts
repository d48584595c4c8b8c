import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable, clickhouseView } from '../../schemas/names.ts';
import { literal, quote } from './sql.ts';
import { columnType, metaColumns } from './types.ts';

/** Table and view of a dataset: the same for everyone who derives them. */
export interface TableDefinition {
  readonly database: string;
  readonly generation: number;
  readonly table: string;
  readonly view: string;
  /** Comment on table and view that makes them ours; never changes. */
  readonly mark: string;
  readonly columns: readonly { readonly name: string; readonly sql: string }[];
  readonly sortingKey: readonly string[];
}

export function markOf(config: Pick<Config, 'name'>, table: string): string {
  return `lethe pipeline=${config.name} table=${table}`;
}

export const versionedEngine = 'ReplacingMergeTree(_lethe_version, _lethe_deleted)';

/**
 * Keeps deleted rows: a merge with CLEANUP would drop them with their versions, and an older row that arrives
 * later would live again.
 */
export const keepDeleted = 'allow_experimental_replacing_merge_with_cleanup = 0';

export function tableDefinition(
  config: Pick<Config, 'name' | 'topics' | 'clickhouse'>,
  dataset: Dataset,
  generation: number,
): TableDefinition {
  const columns = dataset.columns.map((column) => ({ name: column.name, sql: columnType(column).sql }));
  return {
    database: clickhouseDatabase(config),
    generation,
    table: clickhouseTable(dataset.table, generation),
    view: clickhouseView(dataset.table),
    mark: markOf(config, dataset.table),
    columns: [...columns, ...metaColumns],
    sortingKey: dataset.key.map((column) => column.name),
  };
}

/**
 * Rows replace each other only within one partition and one sorting key, so that the key is all of the sorting
 * key and there are no partitions.
 */
export function createTable(definition: TableDefinition): string {
  const columns = definition.columns.map((column) => `${quote(column.name)} ${column.sql}`).join(', ');
  const key = definition.sortingKey.map(quote).join(', ');
  return (
    `CREATE TABLE ${qualified(definition, definition.table)} (${columns}) ENGINE = ${versionedEngine} ` +
    `ORDER BY (${key}) SETTINGS ${keepDeleted} COMMENT ${literal(definition.mark)}`
  );
}

/** The view's query. FINAL drops rows that a newer one replaces, also those that no merge has met yet. */
export function viewQuery(definition: TableDefinition): string {
  const columns = definition.columns.filter((column) => column.name !== '_lethe_deleted');
  return (
    `SELECT ${columns.map((column) => quote(column.name)).join(', ')} ` +
    `FROM ${qualified(definition, definition.table)} FINAL WHERE _lethe_deleted = 0`
  );
}

export function createView(definition: TableDefinition, replace: boolean): string {
  const verb = replace ? 'CREATE OR REPLACE VIEW' : 'CREATE VIEW';
  const comment = literal(definition.mark);
  return `${verb} ${qualified(definition, definition.view)} AS ${viewQuery(definition)} COMMENT ${comment}`;
}

export function qualified(definition: TableDefinition, name: string): string {
  return `${quote(definition.database)}.${quote(name)}`;
}
