import type { ClickHouseClient } from '@clickhouse/client';
import type { Step } from '../../pipeline/planned-steps.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseGeneration, clickhouseTable } from '../../schemas/names.ts';
import { command } from './command.ts';
import { misfits } from './misfits.ts';
import { parseNames } from './sql.ts';
import { createView, markOf, qualified, tableDefinition } from './table-definition.ts';
import { listTables, readTable, type TableState } from './table-state.ts';

type Named = Pick<Config, 'name' | 'topics' | 'clickhouse'>;

/** Generations of the table's rows that there are: tables that bear its mark. */
export async function readGenerations(
  client: ClickHouseClient,
  config: Named,
  table: string,
): Promise<number[]> {
  const mark = markOf(config, table);
  return (await listTables(client, clickhouseDatabase(config))).flatMap(({ name, comment }) => {
    const generation = clickhouseGeneration(table, name);
    return generation !== undefined && comment === mark ? [generation] : [];
  });
}

/** The generation that a view reads; undefined for a query of somebody else's. */
export function generationRead(table: string, { query }: Pick<TableState, 'query'>): number | undefined {
  const from = query.slice(query.lastIndexOf(' FROM '));
  return parseNames(from.replaceAll('.', ' ')).flatMap((name) => clickhouseGeneration(table, name) ?? [])[0];
}

/** Why the table of this generation cannot take the dataset in place; nothing where there is none. */
export async function clickhouseMisfits(
  config: Named,
  dataset: Dataset,
  generation: number,
  client: ClickHouseClient,
): Promise<string[]> {
  if (!dataset.contract.sinks.includes('clickhouse')) return [];
  const definition = tableDefinition(config, sinkDataset(dataset, 'clickhouse'), generation);
  const state = await readTable(client, definition.database, definition.table);
  return state?.comment === definition.mark ? misfits(state, definition) : [];
}

/**
 * What makes the table of this generation the one that readers see, and the only one: first the view, so that it never reads what is
 * gone.
 */
export async function clickhouseSwitch(
  config: Named,
  dataset: Dataset,
  generation: number,
  client: ClickHouseClient,
): Promise<Step[]> {
  if (!dataset.contract.sinks.includes('clickhouse')) return [];
  const generations = await readGenerations(client, config, dataset.table);
  const others = generations.filter((other) => other !== generation);
  if (others.length === 0 || !generations.includes(generation)) return [];
  const definition = tableDefinition(config, sinkDataset(dataset, 'clickhouse'), generation);
  const { database, table, view } = definition;
  const state = await readTable(client, database, view);
  const isSeen = state !== undefined && generationRead(dataset.table, state) === generation;
  const readers: Step = {
    change: { action: 'update', summary: `view ${database}.${view} reads ${table}` },
    run: () => command(client, createView(definition, true), `replace view ${database}.${view}`),
  };
  const drops = others.map((other): Step => {
    const name = clickhouseTable(dataset.table, other);
    const sql = `DROP TABLE IF EXISTS ${qualified(definition, name)} SYNC`;
    return {
      change: { action: 'delete', summary: `table ${database}.${name} is dropped` },
      run: () => command(client, sql, `drop table ${database}.${name}`),
    };
  });
  return [...(isSeen ? [] : [readers]), ...drops];
}
