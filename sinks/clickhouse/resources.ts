import type { ClickHouseClient } from '@clickhouse/client';
import type { Resource } from '../../pipeline/resource.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import { toLetheError } from './errors.ts';
import { parseNames, quote } from './sql.ts';
import {
  createTable,
  createView,
  keepDeleted,
  qualified,
  type TableDefinition,
  tableDefinition,
  viewQuery,
} from './table-definition.ts';
import { databaseExists, readTable, sameQuery, type TableState } from './table-state.ts';
import { keyKinds, metaColumns } from './types.ts';

type Named = Pick<Config, 'name' | 'topics' | 'clickhouse'>;

/** The database, and for each table that feeds ClickHouse its table of versioned rows and the readers' view. */
export function clickhouseResources(
  config: Named,
  datasets: readonly Dataset[],
  client: ClickHouseClient,
): Resource[] {
  const fed = datasets
    .filter((dataset) => dataset.contract.sinks.includes('clickhouse'))
    .map((dataset) => sinkDataset(dataset, 'clickhouse'));
  if (fed.length === 0) return [];
  const database = clickhouseDatabase(config);
  return [
    steppedResource(`database ${database}`, 'clickhouse', () => inspectDatabase(database, client)),
    ...fed.flatMap((dataset) => {
      const definition = tableDefinition(config, dataset);
      const { table, view } = definition;
      return [
        steppedResource(`table ${database}.${table}`, 'clickhouse', () =>
          inspectTable(dataset, definition, client),
        ),
        steppedResource(`view ${database}.${view}`, 'clickhouse', () => inspectView(definition, client)),
      ];
    }),
  ];
}

async function inspectDatabase(database: string, client: ClickHouseClient): Promise<Step[]> {
  if (await databaseExists(client, database)) return [];
  const sql = `CREATE DATABASE IF NOT EXISTS ${quote(database)}`;
  return [
    {
      change: { action: 'create', summary: `database ${database}` },
      run: () => command(client, sql, `create database ${database}`),
    },
  ];
}

async function inspectTable(
  dataset: Dataset,
  definition: TableDefinition,
  client: ClickHouseClient,
): Promise<Step[]> {
  const unfit = unfitColumns(dataset);
  if (unfit.length > 0) return unfit;
  const name = `${definition.database}.${definition.table}`;
  const state = await readTable(client, definition.database, definition.table);
  if (!state) {
    const summary = `table ${name} with ${definition.columns.length} columns, ordered by ${definition.sortingKey.join(', ')}`;
    const run = (): Promise<void> => command(client, createTable(definition), `create table ${name}`);
    return [{ change: { action: 'create', summary }, run }];
  }
  if (state.comment !== definition.mark) return [foreign(name)];
  const refused = [...changedShape(state, definition, name), ...changedColumns(state, definition, name)];
  if (refused.length > 0) return refused;
  return [
    ...newColumns(state, definition, name, client),
    ...keepDeletedStep(state, definition, name, client),
  ];
}

async function inspectView(definition: TableDefinition, client: ClickHouseClient): Promise<Step[]> {
  const name = `${definition.database}.${definition.view}`;
  const state = await readTable(client, definition.database, definition.view);
  const step = (action: 'create' | 'update', summary: string): Step => ({
    change: { action, summary },
    run: () => command(client, createView(definition, action === 'update'), `${action} view ${name}`),
  });
  if (!state) return [step('create', `view ${name} of the rows that are not deleted`)];
  if (state.engine !== 'View' || state.comment !== definition.mark) return [foreign(name)];
  if (await sameQuery(client, state.query, viewQuery(definition))) return [];
  return [step('update', `view ${name} with the columns of the contract`)];
}

function unfitColumns(dataset: Dataset): Step[] {
  const steps: Step[] = [];
  const fix = 'Rename or drop the column, or take clickhouse out of the contract.';
  for (const column of dataset.columns) {
    if (metaColumns.some((meta) => meta.name === column.name)) {
      steps.push(refuse(`column ${column.name} of ${dataset.table} has a name of Lethe’s own`, fix));
    }
    if (column.keyIndex !== undefined && !keyKinds.has(column.clean)) {
      steps.push(
        refuse(`key column ${column.name} of ${dataset.table} is ${column.clean}, which orders no rows`, fix),
      );
    }
  }
  return steps;
}

function foreign(name: string): Step {
  return refuse(
    `${name} was not made by this pipeline for this table`,
    `Rename or remove ${name}, or give this pipeline another clickhouse.database in lethe.yaml.`,
  );
}

const rebuild = (name: string): string =>
  `Drop table ${name}, run \`lethe apply\`, and let the sink read the clean topic from its start.`;

/** Replicated and shared engines name the same two columns last. */
function changedShape(state: TableState, definition: TableDefinition, name: string): Step[] {
  const steps: Step[] = [];
  const versioned = /ReplacingMergeTree\((?:'[^']*', '[^']*', )?_lethe_version, _lethe_deleted\)/;
  if (!versioned.test(state.engineFull)) {
    steps.push(refuse(`${name} is no ReplacingMergeTree of version and deletion`, rebuild(name)));
  }
  if (state.partitionKey !== '') {
    steps.push(refuse(`${name} has partitions, and rows replace each other only within one`, rebuild(name)));
  }
  const key = parseNames(state.sortingKey);
  if (key.join('\n') !== definition.sortingKey.join('\n')) {
    const wanted = definition.sortingKey.join(', ');
    steps.push(refuse(`${name} is ordered by ${key.join(', ')}, the key is ${wanted}`, rebuild(name)));
  }
  return steps;
}

function changedColumns(state: TableState, definition: TableDefinition, name: string): Step[] {
  const wanted = new Map(definition.columns.map((column) => [column.name, column.sql]));
  const steps: Step[] = [];
  for (const [column, type] of state.columns) {
    const sql = wanted.get(column);
    if (sql === undefined) {
      steps.push(refuse(`column ${column} of ${name} is no longer in the contract`, rebuild(name)));
    } else if (sql !== type) {
      steps.push(
        refuse(`column ${column} of ${name} is ${type}, the contract asks for ${sql}`, rebuild(name)),
      );
    }
  }
  return steps;
}

function newColumns(
  state: TableState,
  definition: TableDefinition,
  name: string,
  client: ClickHouseClient,
): Step[] {
  const added = definition.columns.filter((column) => !state.columns.has(column.name));
  if (added.length === 0) return [];
  const list = added.map((column) => `ADD COLUMN IF NOT EXISTS ${quote(column.name)} ${column.sql}`);
  const sql = `ALTER TABLE ${qualified(definition, definition.table)} ${list.join(', ')}`;
  const names = added.map((column) => `${column.name} ${column.sql}`).join(', ');
  const summary = `table ${name} gets ${names} (rows already there: when they are written again)`;
  return [
    { change: { action: 'update', summary }, run: () => command(client, sql, `add columns to ${name}`) },
  ];
}

function keepDeletedStep(
  state: TableState,
  definition: TableDefinition,
  name: string,
  client: ClickHouseClient,
): Step[] {
  if (state.engineFull.includes(keepDeleted)) return [];
  const sql = `ALTER TABLE ${qualified(definition, definition.table)} MODIFY SETTING ${keepDeleted}`;
  return [
    {
      change: { action: 'update', summary: `table ${name} keeps deleted rows with their versions` },
      run: () => command(client, sql, `change settings of ${name}`),
    },
  ];
}

async function command(client: ClickHouseClient, query: string, what: string): Promise<void> {
  try {
    await client.command({ query });
  } catch (error) {
    throw toLetheError(error, what);
  }
}
