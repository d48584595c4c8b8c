import type { ClickHouseClient } from '@clickhouse/client';
import type { Resource } from '../../pipeline/resource.ts';
import { type GenerationOf, type StoreGeneration, wayOut } from '../../pipeline/store-generation.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import { unconfirmed } from '../unconfirmed.ts';
import { command } from './command.ts';
import { clickhouseCopy, isHeld, releaseTable } from './copy.ts';
import { clickhouseMisfits, generationRead, readGenerations } from './generations.ts';
import { misfits } from './misfits.ts';
import { quote } from './sql.ts';
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
  generationOf: GenerationOf,
): Resource[] {
  const fed = datasets
    .filter((dataset) => dataset.contract.sinks.includes('clickhouse'))
    .map((dataset) => sinkDataset(dataset, 'clickhouse'));
  if (fed.length === 0) return [];
  const database = clickhouseDatabase(config);
  return [
    steppedResource(`database ${database}`, 'clickhouse', () => inspectDatabase(database, client)),
    ...fed.flatMap((dataset) => {
      const target = generationOf(dataset.table);
      const definition = tableDefinition(config, dataset, target.generation);
      const { table, view } = definition;
      return [
        steppedResource(`table ${database}.${table}`, 'clickhouse', () =>
          inspectTable(config, dataset, target, client),
        ),
        steppedResource(`view ${database}.${view}`, 'clickhouse', () =>
          inspectView(config, dataset, definition, client),
        ),
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
  config: Named,
  dataset: Dataset,
  target: StoreGeneration,
  client: ClickHouseClient,
): Promise<Step[]> {
  const unfit = unfitColumns(dataset);
  if (unfit.length > 0) return unfit;
  const { generation, beside } = target;
  const definition = tableDefinition(config, dataset, generation);
  const name = `${definition.database}.${definition.table}`;
  const state = await readTable(client, definition.database, definition.table);
  const begun = target.mayRebuild
    ? await clickhouseCopy(config, dataset, generation, client).beside()
    : undefined;
  if (begun !== undefined) return [unconfirmed('clickhouse', dataset.table, begun)];
  if (!state) return [await createStep(config, dataset, target, client)];
  if (state.comment !== definition.mark) return [foreign(name)];
  const unfitting = misfits(state, definition);
  if (unfitting.length > 0) {
    const view = await readTable(client, definition.database, definition.view);
    // No contract was applied that writes there: an apply was cut short, and the contract has changed since.
    const isUnused =
      beside !== undefined && !(view && generationRead(dataset.table, view) === definition.generation);
    if (isUnused) return [makeAnew(definition, name, client)];
    const byHand = `Run \`lethe rebuild clickhouse ${dataset.table}\`: a table is built beside it from the clean topic, and takes its place. Drop one that another pipeline of this name left behind, and run \`lethe apply\`.`;
    return unfitting.map((summary) => refuse(summary, wayOut(target, 'a table', byHand)));
  }
  return [
    ...newColumns(state, definition, name, client),
    ...keepDeletedStep(state, definition, name, client),
    ...releaseStep(state, definition, name, client),
  ];
}

async function createStep(
  config: Named,
  dataset: Dataset,
  { generation, beside }: StoreGeneration,
  client: ClickHouseClient,
): Promise<Step> {
  const definition = tableDefinition(config, dataset, generation);
  const name = `${definition.database}.${definition.table}`;
  const older =
    beside !== undefined && (await readGenerations(client, config, dataset.table)).includes(beside)
      ? clickhouseTable(dataset.table, beside)
      : undefined;
  const why = older ? (await clickhouseMisfits(config, dataset, beside!, client)).join(', ') : '';
  const summary = `table ${name} with ${definition.columns.length} columns, ordered by ${definition.sortingKey.join(', ')}`;
  const place = older ? `, is built beside ${older}${why === '' ? '' : ` (${why})`}` : '';
  return {
    change: { action: 'create', summary: `${summary}${place}` },
    run: () => command(client, createTable(definition), `create table ${name}`),
  };
}

function makeAnew(definition: TableDefinition, name: string, client: ClickHouseClient): Step {
  return {
    change: { action: 'create', summary: `table ${name}, which nothing was written to, is made anew` },
    run: async () => {
      await command(
        client,
        `DROP TABLE ${qualified(definition, definition.table)} SYNC`,
        `drop table ${name}`,
      );
      await command(client, createTable(definition), `create table ${name}`);
    },
  };
}

async function inspectView(
  config: Named,
  dataset: Dataset,
  definition: TableDefinition,
  client: ClickHouseClient,
): Promise<Step[]> {
  const name = `${definition.database}.${definition.view}`;
  const state = await readTable(client, definition.database, definition.view);
  const step = (action: 'create' | 'update', summary: string): Step => ({
    change: { action, summary },
    run: () => command(client, createView(definition, action === 'update'), `${action} view ${name}`),
  });
  if (!state) return [step('create', `view ${name} of the rows that are not deleted`)];
  if (state.engine !== 'View' || state.comment !== definition.mark) return [foreign(name)];
  // Readers go on with the generation that they see until the next one has all rows.
  const seen = generationRead(dataset.table, state);
  if (seen !== undefined && seen !== definition.generation) {
    if ((await readGenerations(client, config, dataset.table)).includes(seen)) return [];
  }
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

/** A rebuilding that was cut short at the wrong moment, and that nobody took up. */
function releaseStep(
  state: TableState,
  definition: TableDefinition,
  name: string,
  client: ClickHouseClient,
): Step[] {
  if (!isHeld(state)) return [];
  return [
    {
      change: { action: 'update', summary: `table ${name} takes writes again` },
      run: () => command(client, releaseTable(definition), `release ${name}`),
    },
  ];
}
