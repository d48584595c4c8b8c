import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../schemas/dataset.ts';
import { clickhouseView } from '../../schemas/names.ts';
import { formatVersion, type Version, versionToUInt256 } from '../../schemas/version.ts';
import { type ClickhouseHarness, makeClickhouseHarness } from '../support/clickhouse-harness.ts';
import { at, change, everyKind, testDataset } from '../support/sink-datasets.ts';
import { registerRebuildTests } from '../support/sink-rebuild-suite.ts';
import { registerSinkTests } from '../support/sink-suite.ts';
import { extremeRows } from '../support/sink-values.ts';
import { acquireStack } from '../support/stack.ts';

async function harnessOfStack(): Promise<ClickhouseHarness> {
  const { endpoints } = await acquireStack();
  return await makeClickhouseHarness(endpoints.clickhouse.url);
}

registerSinkTests('clickhouse sink', harnessOfStack);
registerRebuildTests('clickhouse sink', harnessOfStack);

const max64 = 0xffff_ffff_ffff_ffffn;

/** Versions in ascending order, neighbours differing in each part of the tuple and at the edges of 64-bit words. */
const ascending: readonly Version[] = [
  { epoch: 0n, commit: 0n, lsn: 0n, seq: 0n },
  { epoch: 0n, commit: 0n, lsn: 0n, seq: 1n },
  { epoch: 0n, commit: 0n, lsn: 0n, seq: 0xffff_ffffn },
  { epoch: 0n, commit: 0n, lsn: 1n, seq: 0n },
  { epoch: 0n, commit: 0n, lsn: 0xffff_ffffn, seq: 5n },
  { epoch: 0n, commit: 0n, lsn: 0x1_0000_0000n, seq: 0n },
  { epoch: 0n, commit: 0n, lsn: max64, seq: 0xffff_ffffn },
  { epoch: 0n, commit: 1n, lsn: 0n, seq: 0n },
  { epoch: 0n, commit: 9_007_199_254_740_992n, lsn: 0n, seq: 0n },
  { epoch: 0n, commit: 9_007_199_254_740_993n, lsn: 0n, seq: 0n },
  { epoch: 0n, commit: max64, lsn: max64, seq: 0xffff_ffffn },
  { epoch: 1n, commit: 0n, lsn: 0n, seq: 0n },
  { epoch: 0x7fffn, commit: 0n, lsn: 1n, seq: 0n },
  { epoch: 0xffffn, commit: max64, lsn: max64, seq: 0xffff_ffffn },
];

describe('clickhouse table', () => {
  let harness: ClickhouseHarness;
  beforeAll(async () => {
    harness = await harnessOfStack();
  });
  afterAll(async () => {
    await harness?.end();
  });

  const applied = async (dataset: Dataset): Promise<Dataset> => {
    for (const resource of harness.resources([dataset])) await resource.apply([]);
    return dataset;
  };

  it('orders by the whole version, 176 bits of a UInt256, on reading and on merging', async () => {
    const dataset = await applied(
      testDataset(
        'public.versions',
        ['id'],
        [
          { name: 'id', type: 'int4' },
          { name: 'v', type: 'text' },
        ],
      ),
    );
    // Key i is written with the versions up to i, the newest first, the last, and in the middle.
    const orders = [
      (versions: readonly Version[]) => versions,
      (versions: readonly Version[]) => versions.toReversed(),
      (versions: readonly Version[]) => [...versions.slice(1), ...versions.slice(0, 1)],
      (versions: readonly Version[]) => [...versions.slice(-1), ...versions.slice(0, -1)],
    ];
    const expected: Record<string, string> = {};
    const queues = ascending.flatMap((newest, i) =>
      orders.map((order, o) => {
        const id = i * orders.length + o;
        expected[id] = formatVersion(newest);
        return order(ascending.slice(0, i + 1)).map((v) =>
          change(dataset, [String(id)], v, { id, v: formatVersion(v) }),
        );
      }),
    );
    // Each round is an insert of its own, and so a part of its own, until merges join them.
    for (let round = 0; round < ascending.length; round++) {
      const changes = queues.flatMap((queue) => queue.slice(round, round + 1));
      expect((await harness.sink.write(dataset, changes)).every(({ outcome }) => outcome === 'written')).toBe(
        true,
      );
    }
    const seen = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries([...(await harness.read(dataset))].map(([id, row]) => [id, row['v']]));
    expect(await seen()).toEqual(expected);
    await harness.forgetDeletes(dataset);
    expect(await seen()).toEqual(expected);
    const stored = await harness.select(`SELECT count() AS n FROM ${harness.table(dataset)}`);
    expect(stored).toEqual([{ n: String(queues.length) }]);
    const top = await harness.select(
      `SELECT toString(max(_lethe_version)) AS version FROM ${harness.table(dataset)}`,
    );
    expect(top).toEqual([{ version: String(versionToUInt256(ascending.at(-1)!)) }]);
  });

  it('keeps deleted rows through merges and refuses to clean them up', async () => {
    const dataset = await applied(testDataset('public.kept', ['id'], [{ name: 'id', type: 'int4' }]));
    await harness.sink.write(dataset, [change(dataset, ['1'], at(1), { id: 1 })]);
    await harness.sink.write(dataset, [change(dataset, ['1'], at(2), null)]);
    await harness.forgetDeletes(dataset);
    expect(await harness.select(`SELECT _lethe_deleted AS d FROM ${harness.table(dataset)}`)).toEqual([
      { d: 1 },
    ]);
    await expect(
      harness.plain.command({ query: `OPTIMIZE TABLE ${harness.table(dataset)} FINAL CLEANUP` }),
    ).rejects.toMatchObject({ type: 'SUPPORT_IS_DISABLED' });
  });

  it('plans the setting back that keeps deleted rows', async () => {
    const dataset = await applied(testDataset('public.setting', ['id'], [{ name: 'id', type: 'int4' }]));
    const setting = 'allow_experimental_replacing_merge_with_cleanup';
    await harness.plain.command({
      query: `ALTER TABLE ${harness.table(dataset)} MODIFY SETTING ${setting} = 1`,
    });
    const diffs = async (): Promise<unknown[]> =>
      (await Promise.all(harness.resources([dataset]).map((resource) => resource.diff()))).flat();
    expect(await diffs()).toMatchObject([{ action: 'update' }]);
    await applied(dataset);
    expect(await diffs()).toEqual([]);
  });

  it('plans the view back when somebody has changed it, and refuses a partitioned or reordered table', async () => {
    const dataset = await applied(testDataset('public.tampered', ['id'], [{ name: 'id', type: 'int4' }]));
    const view = `${harness.config.name}.${clickhouseView(dataset.table)}`;
    const [{ comment } = { comment: '' }] = await harness.select(
      `SELECT comment FROM system.tables WHERE database = '${harness.config.name}' AND name = '${clickhouseView(dataset.table)}'`,
    );
    await harness.plain.command({
      query: `CREATE OR REPLACE VIEW ${view} AS SELECT id FROM ${harness.table(dataset)} COMMENT '${String(comment)}'`,
    });
    const [, table, readers] = harness.resources([dataset]);
    expect(await readers!.diff()).toMatchObject([{ action: 'update' }]);
    await readers!.apply([]);
    expect(await readers!.diff()).toEqual([]);

    const [{ sql } = { sql: '' }] = await harness.select(
      `SELECT create_table_query AS sql FROM system.tables WHERE concat(database, '.', name) = '${harness.table(dataset)}'`,
    );
    await harness.plain.command({ query: `DROP TABLE ${harness.table(dataset)} SYNC` });
    await harness.plain.command({
      query: String(sql).replace(/ORDER BY \(?id\)?/, 'PARTITION BY id % 2 ORDER BY (id, _lethe_lsn)'),
    });
    expect((await table!.diff()).map(({ action }) => action)).toEqual(['refuse', 'refuse']);
  });

  it('throws, and rejects no row, where the table has other types', async () => {
    const dataset = await applied(
      testDataset(
        'public.retyped',
        ['id'],
        [
          { name: 'id', type: 'int4' },
          { name: 'n', type: 'int4' },
        ],
      ),
    );
    await harness.plain.command({
      query: `ALTER TABLE ${harness.table(dataset)} MODIFY COLUMN n Nullable(Int64)`,
    });
    const rows = [1, 2, 3].map((id) => change(dataset, [String(id)], at(id), { id, n: id }));
    await expect(harness.sink.write(dataset, rows)).rejects.toMatchObject({ code: 'SERVER_FAILED' });
    expect(await harness.read(dataset)).toEqual(new Map());
  });

  it('inserts a write in one statement', async () => {
    const dataset = await applied(
      testDataset('public.one_statement', ['id'], [{ name: 'id', type: 'int4' }]),
    );
    await harness.sink.write(
      dataset,
      Array.from({ length: 5_000 }, (_, id) => change(dataset, [String(id)], at(id), { id })),
    );
    const parts = await harness.select(
      `SELECT name, rows FROM system.parts WHERE active AND concat(database, '.', table) = '${harness.table(dataset)}'`,
    );
    expect(parts).toMatchObject([{ rows: '5000' }]);
  });

  it('keeps NaN, infinity and minus zero of floats', async () => {
    const dataset = await applied(everyKind('public.floats'));
    const floats = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];
    await harness.sink.write(
      dataset,
      floats.map((real, id) =>
        change(dataset, [String(id)], at(id), { ...extremeRows[2], id: BigInt(id), real, single: real }),
      ),
    );
    const rows = await harness.read(dataset);
    const texts = floats.map((_, id) =>
      [rows.get(String(id))!['real'], rows.get(String(id))!['single']].map(String),
    );
    expect(texts.slice(0, 3)).toEqual([
      ['nan', 'nan'],
      ['inf', 'inf'],
      ['-inf', '-inf'],
    ]);
    expect(Object.is(rows.get('3')!['real'], -0)).toBe(true);
  });

  it('hides from readers nothing but the deletion mark, and says where each row comes from', async () => {
    const dataset = await applied(testDataset('public.traced', ['id'], [{ name: 'id', type: 'int4' }]));
    const written = change(dataset, ['1'], at(3, 8), { id: 1 });
    await harness.sink.write(dataset, [written]);
    expect((await harness.read(dataset)).get('1')).toEqual({
      id: 1,
      _lethe_version: String(versionToUInt256(written.version)),
      _lethe_event_id: written.eventId,
      _lethe_trace_id: written.traceId,
      _lethe_lsn: '16/B374D8D0',
      _lethe_commit_ms: '2026-01-01 00:00:00.123',
      _lethe_contract: dataset.digest,
    });
  });

  it('refuses names of its own and keys that order nothing', async () => {
    const dataset = testDataset(
      'public.names',
      ['raw'],
      [
        { name: 'raw', type: 'bytea' },
        { name: '_lethe_version', type: 'text' },
      ],
    );
    const planned = await harness.resources([dataset])[1]!.diff();
    expect(planned.map(({ action }) => action)).toEqual(['refuse', 'refuse']);
  });
});
