import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../schemas/dataset.ts';
import { indexName } from '../../schemas/names.ts';
import { Stack } from '../../stack/stack.ts';
import { makeClickhouseHarness } from '../support/clickhouse-harness.ts';
import { makeElasticsearchHarness } from '../support/elasticsearch-harness.ts';
import { at, change, testDataset } from '../support/sink-datasets.ts';
import type { SinkHarness } from '../support/sink-suite.ts';
import { acquireStack } from '../support/stack.ts';

const dataset = (table: string): Dataset =>
  testDataset(
    `public.${table}`,
    ['id'],
    [
      { name: 'id', type: 'int4' },
      { name: 'name', type: 'text' },
    ],
  );

/** The crash points: a clean stop, which drops what is only in memory, and SIGKILL right after the answer. */
const ends = {
  restart: (stack: Stack, part: 'elasticsearch' | 'clickhouse') => stack.stop(part),
  'kill -9': (stack: Stack, part: 'elasticsearch' | 'clickhouse') => stack.kill(part),
} as const;

describe.each(['elasticsearch', 'clickhouse'] as const)('%s', (part) => {
  let stack: Stack;
  let harness: SinkHarness;
  /** Makes and checks a witness of what the store forgets; Elasticsearch alone forgets. */
  let witness:
    | { plant(dataset: Dataset): Promise<void>; isForgotten(dataset: Dataset): Promise<boolean> }
    | undefined;

  beforeAll(async () => {
    const { endpoints, dir } = await acquireStack();
    stack = new Stack(dir);
    if (part === 'clickhouse') {
      harness = await makeClickhouseHarness(endpoints.clickhouse.url);
      return;
    }
    const elasticsearch = await makeElasticsearchHarness(endpoints.elasticsearch.url);
    harness = elasticsearch;
    const { plain, config } = elasticsearch;
    const document = { _lethe: { deleted: true } }; // hidden from readers
    const of = (table: Dataset) => ({
      index: indexName(config, table.table, 1),
      id: '%witness',
      version_type: 'external_gte' as const,
    });
    const stale = async (table: Dataset): Promise<number | null> => {
      const answer = await plain.index({ ...of(table), version: 1, document }, { ignore: [409], meta: true });
      return answer.statusCode;
    };
    witness = {
      async plant(table) {
        await plain.indices.putSettings({ index: of(table).index, settings: { 'index.gc_deletes': '1h' } });
        await plain.index({ ...of(table), version: 2, document });
        await plain.delete({ ...of(table), version: 3 });
        expect(await stale(table)).toBe(409);
      },
      isForgotten: async (table) => (await stale(table)) === 201,
    };
  });
  afterAll(async () => {
    await stack?.start(part);
    await harness?.end();
  });

  it.each(Object.keys(ends) as (keyof typeof ends)[])(
    'keeps what it acknowledged and lets no older write back after %s',
    async (end) => {
      const table = dataset(end === 'restart' ? 'restarted' : 'killed');
      for (const resource of harness.resources([table])) await resource.apply([]);
      const row = (id: number, name: string, tx: number) => change(table, [String(id)], at(tx), { id, name });
      await harness.sink.write(table, [row(1, 'gone', 1), row(2, 'kept', 1)]);
      await witness?.plant(table);
      await harness.sink.write(table, [change(table, ['1'], at(9), null), change(table, ['3'], at(9), null)]);

      await ends[end](stack, part);
      await expect(harness.sink.write(table, [row(4, 'nobody listens', 1)])).rejects.toMatchObject({
        code: 'UNREACHABLE',
      });
      await stack.start(part);

      // After a SIGKILL Elasticsearch replays its log and knows the delete; after a clean stop it does not.
      if (end === 'restart' && witness) expect(await witness.isForgotten(table)).toBe(true);
      const late = [row(1, 'late', 8), row(2, 'late', 0), row(3, 'late', 8)];
      const verdicts = await harness.sink.write(table, late);
      expect(verdicts.every(({ outcome }) => outcome === 'written' || outcome === 'stale')).toBe(true);
      expect([...(await harness.read(table))].map(([id, { name }]) => [id, name])).toEqual([['2', 'kept']]);
    },
  );
});
