import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indexAlias, indexName, writeAlias } from '../../schemas/names.ts';
import type { ElasticsearchHarness } from '../support/elasticsearch-harness.ts';
import { makeElasticsearchHarness } from '../support/elasticsearch-harness.ts';
import { at, change, everyKind, testDataset } from '../support/sink-datasets.ts';
import { registerRebuildTests } from '../support/sink-rebuild-suite.ts';
import { registerSinkTests } from '../support/sink-suite.ts';
import { extremeRows } from '../support/sink-values.ts';
import { acquireStack } from '../support/stack.ts';

async function harnessOfStack(): Promise<ElasticsearchHarness> {
  const { endpoints } = await acquireStack();
  return await makeElasticsearchHarness(endpoints.elasticsearch.url);
}

registerSinkTests('elasticsearch sink', harnessOfStack);
registerRebuildTests('elasticsearch sink', harnessOfStack);

describe('elasticsearch index', () => {
  let harness: ElasticsearchHarness;
  beforeAll(async () => {
    harness = await harnessOfStack();
  });
  afterAll(async () => {
    await harness?.end();
  });

  it('keeps documents whole whose dates and decimals it cannot index', async () => {
    const dataset = everyKind('public.odd_values');
    for (const resource of harness.resources([dataset])) await resource.apply([]);
    const odd = [
      { day: -1_000_000, at: -70_000_000_000_000_000n, at_zone: '-000043-03-15T12:00:00Z' },
      { day: 3_000_000, at: 9_223_372_036_825_200_000n, at_zone: '+294247-01-10T04:00:25.2Z', price: 'NaN' },
      { at_zone: 'infinity', price: 'POSITIVE_INFINITY' },
    ];
    const verdicts = await harness.sink.write(
      dataset,
      odd.map((row, id) =>
        change(dataset, [String(id)], at(id), { ...extremeRows[2], ...row, id: BigInt(id) }),
      ),
    );
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['written', 'written', 'written']);
    const rows = await harness.read(dataset);
    expect(rows.get('0')).toMatchObject({
      day: '-000768-02-04',
      at: '-000249-10-15T19:33:20.000000',
      at_zone: '-000043-03-15T12:00:00Z',
    });
    expect(rows.get('1')).toMatchObject({
      day: '+010183-09-21',
      at: '+294247-01-10T04:00:25.200000',
      at_zone: '+294247-01-10T04:00:25.2Z',
      price: 'NaN',
    });
    expect(rows.get('2')).toMatchObject({ at_zone: 'infinity', price: 'POSITIVE_INFINITY' });
  });

  it('finds rows by their words, exact texts, dates and numbers', async () => {
    const dataset = everyKind('public.found');
    for (const resource of harness.resources([dataset])) await resource.apply([]);
    const row = { ...extremeRows[2], id: 1n, note: 'A dark roast', day: 20_000, at: 1_727_999_999_123_456n };
    const found = change(dataset, ['1'], at(1), row);
    await harness.sink.write(dataset, [found]);
    const alias = indexAlias(harness.config, dataset.table);
    await harness.plain.indices.refresh({ index: alias });
    const hits = async (query: object): Promise<number> =>
      (await harness.plain.count({ index: alias, query })).count;
    expect(await hits({ match: { note: 'ROAST' } })).toBe(1);
    expect(await hits({ term: { 'note.keyword': 'A dark roast' } })).toBe(1);
    expect(await hits({ range: { day: { gte: '2024-10-04', lt: '2024-10-05' } } })).toBe(1);
    expect(
      await hits({ range: { at: { gte: '2024-10-03T23:59:59.123', lt: '2024-10-03T23:59:59.124' } } }),
    ).toBe(1);
    expect(await hits({ range: { at_zone: { lt: '1970-01-01T00:00:00Z' } } })).toBe(1);
    expect(await hits({ range: { price: { gte: 0.09, lte: 0.11 } } })).toBe(1);
    expect(await hits({ term: { big: '9007199254740993' } })).toBe(1);
    expect(await hits({ term: { big: '9007199254740992' } })).toBe(0);
    expect(await hits({ term: { '_lethe.trace_id': found.traceId } })).toBe(1);
  });

  it('creates no index by itself when the sink’s alias or the index is gone, and plan brings both aliases back', async () => {
    const dataset = testDataset('public.unaliased', ['id'], [{ name: 'id', type: 'int4' }]);
    const [resource] = harness.resources([dataset]);
    await resource!.apply([]);
    const { config, plain } = harness;
    const index = indexName(config, dataset.table, 1);
    const writes = writeAlias(config, dataset.table, 1);
    const write = () => harness.sink.write(dataset, [change(dataset, ['1'], at(1), { id: 1 })]);
    await plain.indices.deleteAlias({ index, name: [writes, indexAlias(config, dataset.table)] });
    await expect(write()).rejects.toMatchObject({ code: 'SERVER_FAILED' });
    expect(await plain.indices.exists({ index: writes })).toBe(false);
    expect(await resource!.diff()).toMatchObject([{ action: 'update' }, { action: 'update' }]);
    await resource!.apply([]);
    expect(await resource!.diff()).toEqual([]);
    expect(await write()).toEqual([{ outcome: 'written' }]);
    await plain.indices.delete({ index });
    await expect(write()).rejects.toMatchObject({ code: 'SERVER_FAILED' });
    expect(await plain.indices.exists({ index: [index, writes] })).toBe(false);
  });

  it('plans the filter of deleted rows back when somebody has changed it', async () => {
    const dataset = testDataset('public.unfiltered', ['id'], [{ name: 'id', type: 'int4' }]);
    const [resource] = harness.resources([dataset]);
    await resource!.apply([]);
    await harness.sink.write(dataset, [
      change(dataset, ['1'], at(1), { id: 1 }),
      change(dataset, ['2'], at(2), null),
    ]);
    const name = indexAlias(harness.config, dataset.table);
    await harness.plain.indices.putAlias({ index: indexName(harness.config, dataset.table, 1), name });
    expect(await harness.sources(dataset)).toHaveLength(2);
    expect(await resource!.diff()).toMatchObject([{ action: 'update' }]);
    await resource!.apply([]);
    expect(await harness.sources(dataset)).toHaveLength(1);
  });

  it('says of every document where it comes from', async () => {
    const dataset = testDataset('public.traced', ['id'], [{ name: 'id', type: 'int4' }]);
    await harness.resources([dataset])[0]!.apply([]);
    const written = change(dataset, ['1'], at(3, 8), { id: 1 });
    await harness.sink.write(dataset, [written]);
    const [source] = await harness.sources(dataset);
    expect(JSON.parse(source!)).toEqual({
      id: 1,
      _lethe: {
        key: '1',
        version: '0001-00000016b374d8c0-00000016b374d8d0-00000008',
        event_id: written.eventId,
        trace_id: written.traceId,
        lsn: '16/B374D8D0',
        commit_ms: 1_767_225_600_123,
        contract: dataset.digest,
        deleted: false,
      },
    });
  });

  it('refuses column names that an index cannot have', async () => {
    const dataset = testDataset(
      'public.names',
      ['id'],
      [
        { name: 'id', type: 'int4' },
        { name: 'a.b', type: 'text' },
        { name: '_lethe', type: 'text' },
        { name: '_source', type: 'text' },
      ],
    );
    const planned = await harness.resources([dataset])[0]!.diff();
    expect(planned.map(({ action }) => action)).toEqual(['refuse', 'refuse', 'refuse']);
  });
});
