import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@elastic/elasticsearch';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import { type GenerationOf, type StoreGeneration, wayOut } from '../../pipeline/store-generation.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { indexAlias, indexName, indexNumbers, writeAlias } from '../../schemas/names.ts';
import { unconfirmed } from '../unconfirmed.ts';
import { elasticsearchCopy } from './copy.ts';
import { createIndex, deleteIndex } from './create-index.ts';
import { readGenerations } from './generations.ts';
import {
  aliasDefinition,
  defaultTotalFieldsLimit,
  type IndexDefinition,
  indexDefinition,
} from './index-definition.ts';
import { type IndexState, readIndexes } from './index-state.ts';
import { misfits, typeOf } from './misfits.ts';
import { send } from './request.ts';
import { unfitFieldName } from './types.ts';

type Named = Pick<Config, 'name' | 'topics'>;

/** An index to be, with the aliases of readers and of the sink. */
interface Wanted {
  readonly table: string;
  readonly index: string;
  readonly alias: string;
  readonly writes: string;
  readonly definition: IndexDefinition;
  readonly target: StoreGeneration;
  /** Readers see it: there is no other that they see until it has all rows. */
  readonly isRead: boolean;
}

/** One resource per table that feeds Elasticsearch: its index with the aliases that readers and the sink use. */
export function elasticsearchResources(
  config: Named,
  datasets: readonly Dataset[],
  client: Client,
  generationOf: GenerationOf,
): Resource[] {
  return datasets
    .filter((dataset) => dataset.contract.sinks.includes('elasticsearch'))
    .map((dataset) => sinkDataset(dataset, 'elasticsearch'))
    .map((dataset) =>
      steppedResource(`index ${indexAlias(config, dataset.table)}`, 'elasticsearch', () =>
        inspect(config, dataset, generationOf(dataset.table), client),
      ),
    );
}

async function inspect(
  config: Named,
  dataset: Dataset,
  target: StoreGeneration,
  client: Client,
): Promise<Step[]> {
  const unfit = unfitColumns(dataset);
  if (unfit.length > 0) return unfit;
  const { table } = dataset;
  const alias = indexAlias(config, table);
  const behind = await readIndexes(client, alias);
  if (behind.length > 1) {
    return [
      refuse(
        `alias ${alias} stands for ${behind.length} indexes`,
        'Leave the alias on the live index alone.',
      ),
    ];
  }
  const generations = await readGenerations(client, config, table);
  const live = behind[0];
  const seen = live && indexNumbers(config, table, live.name)?.generation;
  if (live && (seen === undefined || !generations.has(seen))) return [foreign(live.name)];
  const { generation, beside } = target;
  const index = indexName(config, table, generation);
  const wanted: Wanted = {
    table,
    index,
    alias,
    writes: writeAlias(config, table, generation),
    definition: indexDefinition(config, dataset),
    target,
    isRead: seen === undefined || seen === generation,
  };
  const there = generations.get(generation);
  const begun = await elasticsearchCopy(config, dataset, generation, client).beside();
  if (begun !== undefined && (target.mayRebuild || (!there && begun === index))) {
    return [unconfirmed('elasticsearch', table, begun)];
  }
  if (!there) {
    if ((await readIndexes(client, index)).length > 0) return [foreign(index)];
    const older = beside === undefined ? undefined : generations.get(beside);
    return [create(wanted, older, client)];
  }
  // No contract was applied that writes there: an apply was cut short, and the contract has changed since.
  const isUnused = beside !== undefined && seen !== generation;
  if (isUnused && misfits(there, wanted.definition).length > 0) return [makeAnew(wanted, client)];
  return existing(there, wanted, client);
}

function unfitColumns(dataset: Dataset): Step[] {
  return dataset.columns.flatMap((column) => {
    const reason = unfitFieldName(column.name);
    return reason === undefined
      ? []
      : [
          refuse(
            `column ${column.name} of ${dataset.table} ${reason}`,
            'Rename or drop the column, or take elasticsearch out of the contract.',
          ),
        ];
  });
}

function foreign(index: string): Step {
  return refuse(
    `${index} was not made by this pipeline for this table`,
    `Rename or remove ${index}, or give this pipeline another name in lethe.yaml.`,
  );
}

function create(wanted: Wanted, older: IndexState | undefined, client: Client): Step {
  const { index, alias, definition } = wanted;
  const why = older && misfits(older, definition).join(', ');
  const fields = `index ${index} with ${Object.keys(definition.properties).length} fields`;
  const summary = older
    ? `${fields} is built beside ${older.name}${why === '' ? '' : ` (${why})`}`
    : `${fields} behind alias ${alias}`;
  return { change: { action: 'create', summary }, run: () => makeIndex(wanted, client) };
}

function makeAnew(wanted: Wanted, client: Client): Step {
  const { index } = wanted;
  return {
    change: { action: 'create', summary: `index ${index}, which nothing was written to, is made anew` },
    run: async () => {
      await deleteIndex(client, index);
      await makeIndex(wanted, client);
    },
  };
}

async function makeIndex(
  { index, alias, writes, definition, isRead }: Wanted,
  client: Client,
): Promise<void> {
  await createIndex(client, index, definition, {
    [writes]: {},
    ...(isRead ? { [alias]: aliasDefinition } : {}),
  });
}

/** What an index that is there lacks, or why it cannot be used. */
function existing(index: IndexState, wanted: Wanted, client: Client): Step[] {
  const byHand = `Run \`lethe rebuild elasticsearch ${wanted.table}\`: an index is built beside it from the clean topic, and takes its place. Delete one that another pipeline of this name left behind, and run \`lethe apply\`.`;
  const refused = misfits(index, wanted.definition).map((summary) =>
    refuse(summary, wayOut(wanted.target, 'an index', byHand)),
  );
  if (refused.length > 0) return refused;
  return [
    ...widerLimit(index, wanted.definition, client),
    ...newFields(index, wanted.definition, client),
    ...aliasSteps(index, wanted, client),
  ];
}

function newFields(index: IndexState, definition: IndexDefinition, client: Client): Step[] {
  const added = Object.entries(definition.properties).filter(([name]) => !index.mappings.properties?.[name]);
  if (added.length === 0) return [];
  const names = added.map(([name, field]) => `${name} ${typeOf(field)}`).join(', ');
  const summary = `index ${index.name} gets ${names} (documents already there: when they are written again)`;
  const path = `/${encodeURIComponent(index.name)}/_mapping`;
  const body = { properties: Object.fromEntries(added) };
  return [
    {
      change: { action: 'update', summary },
      run: () => send(client, 'PUT', path, body, `add fields to index ${index.name}`),
    },
  ];
}

function widerLimit(index: IndexState, definition: IndexDefinition, client: Client): Step[] {
  const limit = index.totalFieldsLimit ?? defaultTotalFieldsLimit;
  if (limit >= definition.totalFieldsLimit) return [];
  const path = `/${encodeURIComponent(index.name)}/_settings`;
  const body = { 'index.mapping.total_fields.limit': definition.totalFieldsLimit };
  return [
    {
      change: {
        action: 'update',
        summary: `index ${index.name} may have ${definition.totalFieldsLimit} fields`,
      },
      run: () => send(client, 'PUT', path, body, `change settings of index ${index.name}`),
    },
  ];
}

function aliasSteps(index: IndexState, { alias, writes, isRead }: Wanted, client: Client): Step[] {
  const step = (name: string, definition: object, summary: string): Step[] =>
    isDeepStrictEqual(index.aliases[name], definition)
      ? []
      : [
          {
            change: { action: 'update', summary },
            run: () => {
              const body = { actions: [{ add: { index: index.name, alias: name, ...definition } }] };
              return send(client, 'POST', '/_aliases', body, `set alias ${name}`);
            },
          },
        ];
  return [
    ...step(writes, {}, `alias ${writes} stands for ${index.name}, for the sink to write to`),
    ...(isRead
      ? step(alias, aliasDefinition, `alias ${alias} stands for ${index.name} and hides deleted rows`)
      : []),
  ];
}
