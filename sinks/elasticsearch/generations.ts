import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@elastic/elasticsearch';
import type { Step } from '../../pipeline/planned-steps.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { copyAlias, indexAlias, indexNumbers } from '../../schemas/names.ts';
import { aliasDefinition, indexDefinition, markOf } from './index-definition.ts';
import { type IndexState, readIndexes } from './index-state.ts';
import { misfits } from './misfits.ts';
import { send } from './request.ts';

type Named = Pick<Config, 'name' | 'topics'>;

/** An index of the table: one that bears its mark. */
export interface OwnIndex extends IndexState {
  readonly generation: number;
  /** Which one of its generation: a store that is rebuilt gets the next. */
  readonly copy: number;
  /** What it is while its store is rebuilt; undefined for a live one. */
  readonly role: 'next' | 'past' | 'kept' | undefined;
}

/** All indexes of the table, also those of a rebuilding. */
export async function readOwnIndexes(client: Client, config: Named, table: string): Promise<OwnIndex[]> {
  const mark = markOf(config, table);
  return (await readIndexes(client, `${indexAlias(config, table)}-v*`)).flatMap((index) => {
    const numbers = indexNumbers(config, table, index.name);
    if (!numbers || !isDeepStrictEqual(index.mappings._meta, mark)) return [];
    const role = copyRoles.find((own) => Object.hasOwn(index.aliases, copyAlias(config, table, own)));
    return [{ ...index, ...numbers, role }];
  });
}

const copyRoles = ['next', 'past', 'kept'] as const;

/** The table's live indexes by their generation. */
export async function readGenerations(
  client: Client,
  config: Named,
  table: string,
): Promise<ReadonlyMap<number, IndexState>> {
  const live = (await readOwnIndexes(client, config, table)).filter(({ role }) => role === undefined);
  return new Map(live.map((index) => [index.generation, index]));
}

/** Why the index of this generation cannot take the dataset in place; nothing where there is none. */
export async function elasticsearchMisfits(
  config: Named,
  dataset: Dataset,
  generation: number,
  client: Client,
): Promise<string[]> {
  if (!dataset.contract.sinks.includes('elasticsearch')) return [];
  const index = (await readGenerations(client, config, dataset.table)).get(generation);
  return index ? misfits(index, indexDefinition(config, sinkDataset(dataset, 'elasticsearch'))) : [];
}

/**
 * What makes the index of this generation the one that readers see, and the only one: one call, so that readers see the one or the other,
 * and an older one is never left behind.
 */
export async function elasticsearchSwitch(
  config: Named,
  dataset: Dataset,
  generation: number,
  client: Client,
): Promise<Step[]> {
  if (!dataset.contract.sinks.includes('elasticsearch')) return [];
  const indexes = await readGenerations(client, config, dataset.table);
  const others = [...indexes].filter(([other]) => other !== generation).map(([, { name }]) => name);
  const index = indexes.get(generation)?.name;
  if (others.length === 0 || index === undefined) return [];
  const alias = indexAlias(config, dataset.table);
  const actions = [
    { add: { index, alias, ...aliasDefinition } },
    ...others.map((other) => ({ remove_index: { index: other } })),
  ];
  const summary = `alias ${alias} stands for ${index}, and ${others.join(', ')} is deleted`;
  return [
    {
      change: { action: 'update', summary },
      run: () => send(client, 'POST', '/_aliases', { actions }, `set alias ${alias}`),
    },
  ];
}
