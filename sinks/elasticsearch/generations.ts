import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@elastic/elasticsearch';
import type { Step } from '../../pipeline/planned-steps.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { indexAlias, indexGeneration, indexName } from '../../schemas/names.ts';
import { aliasDefinition, indexDefinition, markOf } from './index-definition.ts';
import { type IndexState, readIndexes } from './index-state.ts';
import { misfits } from './misfits.ts';
import { send } from './request.ts';

type Named = Pick<Config, 'name' | 'topics'>;

/** The table's indexes by their generation: those that bear its mark. */
export async function readGenerations(
  client: Client,
  config: Named,
  table: string,
): Promise<ReadonlyMap<number, IndexState>> {
  const found = await readIndexes(client, `${indexAlias(config, table)}-v*`);
  return new Map(
    found.flatMap((index) => {
      const generation = indexGeneration(config, table, index.name);
      const isOurs = isDeepStrictEqual(index.mappings._meta, markOf(config, table));
      return generation !== undefined && isOurs ? [[generation, index] as const] : [];
    }),
  );
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
  if (others.length === 0 || !indexes.has(generation)) return [];
  const [alias, index] = [
    indexAlias(config, dataset.table),
    indexName(config, dataset.table, generation),
  ] as const;
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
