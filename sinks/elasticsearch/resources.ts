import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@elastic/elasticsearch';
import type { Resource } from '../../pipeline/resource.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { indexAlias, indexName } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import { toLetheError } from './errors.ts';
import {
  aliasDefinition,
  defaultTotalFieldsLimit,
  type IndexDefinition,
  indexDefinition,
} from './index-definition.ts';
import { type IndexState, readIndexes } from './index-state.ts';
import { unfitFieldName } from './types.ts';

type Named = Pick<Config, 'name' | 'topics'>;

/** One resource per table that feeds Elasticsearch: its index with the alias that readers and the sink use. */
export function elasticsearchResources(
  config: Named,
  datasets: readonly Dataset[],
  client: Client,
): Resource[] {
  return datasets
    .filter((dataset) => dataset.contract.sinks.includes('elasticsearch'))
    .map((dataset) => sinkDataset(dataset, 'elasticsearch'))
    .map((dataset) => {
      const alias = indexAlias(config, dataset.table);
      return steppedResource(`index ${alias}`, 'elasticsearch', () =>
        inspect(config, dataset, alias, client),
      );
    });
}

async function inspect(config: Named, dataset: Dataset, alias: string, client: Client): Promise<Step[]> {
  const unfit = dataset.columns.flatMap((column) => {
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
  if (unfit.length > 0) return unfit;

  const definition = indexDefinition(config, dataset);
  const behind = await readIndexes(client, alias);
  if (behind.length > 1) {
    return [
      refuse(
        `alias ${alias} stands for ${behind.length} indexes`,
        'Leave the alias on the live index alone.',
      ),
    ];
  }
  const live = behind[0];
  if (live) return existing(live, alias, definition, client);

  const first = indexName(config, dataset.table, 1);
  const orphan = (await readIndexes(client, first))[0];
  return orphan ? existing(orphan, alias, definition, client) : [create(first, alias, definition, client)];
}

function create(index: string, alias: string, definition: IndexDefinition, client: Client): Step {
  const body = {
    settings: { 'index.mapping.total_fields.limit': definition.totalFieldsLimit },
    mappings: { dynamic: 'strict', _meta: definition.mark, properties: definition.properties },
    aliases: { [alias]: aliasDefinition },
  };
  const fields = Object.keys(definition.properties).length;
  return {
    change: { action: 'create', summary: `index ${index} with ${fields} fields behind alias ${alias}` },
    run: () => send(client, 'PUT', `/${encodeURIComponent(index)}`, body, `create index ${index}`),
  };
}

/** What an index that is there lacks, or why it cannot be used. */
function existing(index: IndexState, alias: string, definition: IndexDefinition, client: Client): Step[] {
  if (!isDeepStrictEqual(index.mappings._meta, definition.mark)) {
    return [
      refuse(
        `${index.name} was not made by this pipeline for this table`,
        `Rename or remove ${index.name}, or give this pipeline another name in lethe.yaml.`,
      ),
    ];
  }
  const refused = [...strayRoot(index), ...changedFields(index, definition)];
  if (refused.length > 0) return refused;
  return [
    ...widerLimit(index, definition, client),
    ...newFields(index, definition, client),
    ...aliasStep(index, alias, client),
  ];
}

const rebuild = (index: string): string =>
  `Delete index ${index}, run \`lethe apply\`, and let the sink read the clean topic from its start.`;

function strayRoot(index: IndexState): Step[] {
  const strays = Object.keys(index.mappings).filter(
    (key) => !['dynamic', '_meta', 'properties'].includes(key),
  );
  const found = strays.map((key) =>
    refuse(`mapping of ${index.name} has ${key} set by hand`, rebuild(index.name)),
  );
  if (index.mappings.dynamic !== 'strict') {
    found.push(refuse(`mapping of ${index.name} is not dynamic: strict`, rebuild(index.name)));
  }
  return found;
}

function changedFields(index: IndexState, definition: IndexDefinition): Step[] {
  const steps: Step[] = [];
  for (const [name, actual] of Object.entries(index.mappings.properties ?? {})) {
    const wanted = definition.properties[name];
    if (!wanted) {
      steps.push(refuse(`field ${name} of ${index.name} is no longer in the contract`, rebuild(index.name)));
    } else if (!isDeepStrictEqual(actual, wanted)) {
      const summary = `field ${name} of ${index.name} is ${typeOf(actual)}, the contract asks for ${typeOf(wanted)}`;
      steps.push(refuse(summary, rebuild(index.name)));
    }
  }
  return steps;
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

function aliasStep(index: IndexState, alias: string, client: Client): Step[] {
  if (isDeepStrictEqual(index.aliases[alias], aliasDefinition)) return [];
  const body = { actions: [{ add: { index: index.name, alias, ...aliasDefinition } }] };
  return [
    {
      change: { action: 'update', summary: `alias ${alias} stands for ${index.name} and hides deleted rows` },
      run: () => send(client, 'POST', '/_aliases', body, `set alias ${alias}`),
    },
  ];
}

/** The type in a word, and with its options where two fields of one type differ. */
function typeOf(field: unknown): string {
  return JSON.stringify(field).replaceAll('"', '');
}

async function send(client: Client, method: string, path: string, body: object, what: string): Promise<void> {
  try {
    await client.transport.request({ method, path, body });
  } catch (error) {
    throw toLetheError(error, what);
  }
}
