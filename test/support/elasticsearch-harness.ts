import { Client } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { indexAlias } from '../../schemas/names.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { elasticsearchMisfits, elasticsearchSwitch } from '../../sinks/elasticsearch/generations.ts';
import { elasticsearchResources } from '../../sinks/elasticsearch/resources.ts';
import { createElasticsearchSink } from '../../sinks/elasticsearch/sink.ts';
import { testConfig } from './sink-config.ts';
import { inPlace, refusedNumber, type SinkHarness, testSink } from './sink-suite.ts';

/** Elasticsearch as the sink suite needs it, and the plain client beside it for tests of its own. */
export interface ElasticsearchHarness extends SinkHarness {
  readonly config: Config;
  readonly plain: Client;
  /** `_source` of every document that readers see, as the server's own bytes. */
  readonly sources: (dataset: Dataset) => Promise<string[]>;
}

export async function makeElasticsearchHarness(url: string): Promise<ElasticsearchHarness> {
  const config = testConfig({ elasticsearch: { url } });
  const client = createElasticsearchClient(config.elasticsearch!);
  const plain = new Client({ node: url });
  const sources = async (dataset: Dataset): Promise<string[]> => {
    const alias = indexAlias(config, dataset.table);
    await plain.indices.refresh({ index: alias });
    const answer = await fetch(`${url}/${alias}/_search?size=1000&filter_path=hits.hits._source`);
    const text = await answer.text();
    return [...text.matchAll(/\{"_source":(.*?)\}(?=,\{"_source":|\]\}\}$)/gs)].map((match) => match[1]!);
  };
  return {
    config,
    plain,
    sources,
    sink: testSink(createElasticsearchSink(config, client, { maxBulkBytes: 4 * 1024 })),
    resources: (datasets, target = inPlace) => elasticsearchResources(config, datasets, client, () => target),
    misfits: (dataset) => elasticsearchMisfits(config, dataset, 1, client),
    switchTo: (dataset, generation) => elasticsearchSwitch(config, dataset, generation, client),
    async read(dataset) {
      const rows = (await sources(dataset)).map(parseExactly);
      const [key] = dataset.key;
      return new Map(rows.map((row) => [String(row[key!.name]), row]));
    },
    forgetDeletes: (dataset) => forgetDeletes(plain, indexAlias(config, dataset.table)),
    unfit: [
      { row: { real: Number.NaN }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { real: Number.POSITIVE_INFINITY }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { single: Number.NEGATIVE_INFINITY }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { big: 'no bigint' }, code: 'SCHEMA_UNEXPECTED' },
    ],
    async refuseNumber(dataset) {
      // Its mapping takes a byte where the contract says integer: what is larger is a mapping error.
      const alias = indexAlias(config, dataset.table);
      const [index] = Object.keys(await plain.indices.get({ index: alias }));
      const { mappings, aliases } = (await plain.indices.get({ index: alias }))[index!]!;
      await plain.indices.delete({ index: index! });
      mappings!.properties!['n'] = { type: 'short' };
      await plain.indices.create({ index: index!, mappings: mappings!, aliases: aliases! });
      if (refusedNumber <= 32_767) throw new Error('a short takes it');
    },
    unreachable: testSink(
      createElasticsearchSink(config, createElasticsearchClient({ url: 'http://127.0.0.1:1' })),
    ),
    async makeForeign(dataset) {
      await plain.indices.create({ index: indexAlias(config, dataset.table) });
    },
    async unmark(dataset) {
      await plain.indices.putMapping({ index: indexAlias(config, dataset.table), _meta: {} });
    },
    async end() {
      const mine = Object.keys(await plain.indices.get({ index: `${config.name}-*` }));
      if (mine.length > 0) await plain.indices.delete({ index: mine });
      await client.close();
      await plain.close();
    },
  };
}

/**
 * Ends when Elasticsearch has provably forgotten a delete in this index, twice: by index.gc_deletes, and by opening
 * the index anew, which drops what a restart drops. A real delete of the same age serves as the witness: as soon
 * as the store takes an older version of it, it has forgotten.
 */
async function forgetDeletes(plain: Client, alias: string): Promise<void> {
  const [index] = Object.keys(await plain.indices.get({ index: alias }));
  const remember = (gcDeletes: string) =>
    plain.indices.putSettings({ index: index!, settings: { 'index.gc_deletes': gcDeletes } });
  await remember('10m');
  const witness = { index: index!, id: '%witness', version_type: 'external_gte' as const };
  const deleteWitness = async (version: number): Promise<void> => {
    await plain.index({ ...witness, version, document: {} });
    await plain.delete({ ...witness, version: version + 1 });
  };
  const isForgotten = async (version: number): Promise<boolean> => {
    await plain.indices.refresh({ index: index! });
    const answer = await plain.index({ ...witness, version, document: {} }, { ignore: [409], meta: true });
    return answer.statusCode === 201;
  };
  const base = Date.now();
  await deleteWitness(base);
  if (await isForgotten(base - 1)) throw new Error('the witness was forgotten at once: it proves nothing');
  await remember('1s');
  while (!(await isForgotten(base - 1))) await new Promise((resolve) => setTimeout(resolve, 100));
  await plain.delete({ ...witness, version: base + 10 });
  await plain.indices.close({ index: index! });
  await plain.indices.open({ index: index!, wait_for_active_shards: 1 });
}

/** JSON with every number as its text: JSON.parse would round 64-bit integers. */
export function parseExactly(json: string): Record<string, unknown> {
  const exact = json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
  return JSON.parse(exact) as Record<string, unknown>;
}
