import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouseDatabase } from '../../schemas/names.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { KeyBatch } from '../../sinks/clickhouse/key-batch.ts';
import { removeOlderRows } from '../../sinks/clickhouse/remove-rows.ts';
import { hurryParts, isHurried } from '../../sinks/clickhouse/replaced-parts.ts';
import type { RemovedRows } from '../../sinks/removal.ts';
import { type ClickhouseHarness, makeClickhouseHarness } from '../support/clickhouse-harness.ts';
import { waitUntil } from '../support/live-pipeline.ts';
import { at, change, testDataset } from '../support/sink-datasets.ts';
import { acquireStack } from '../support/stack.ts';

const waiting = { signal: new AbortController().signal, limitMs: 120_000 };
const random = () => randomBytes(20).toString('hex');
const dataset = testDataset(
  'public.removed',
  ['id', 'part'],
  [
    { name: 'id', type: 'text' },
    { name: 'part', type: 'int4' },
    { name: 'name', type: 'text' },
  ],
);
const hers = Array.from({ length: 20 }, (_, i) => ['hers', String(i)]);
const removed: RemovedRows = new Map(hers.map((key) => [encodeRecordKey(key), at(30)]));

describe('a removal from clickhouse that was cut short', () => {
  let harness: ClickhouseHarness;
  let client: ReturnType<typeof createClickhouseClient>;

  beforeAll(async () => {
    const { endpoints } = await acquireStack();
    harness = await makeClickhouseHarness(endpoints.clickhouse.url);
    client = createClickhouseClient(harness.config.clickhouse!);
    for (const resource of harness.resources([dataset])) await resource.apply([]);
  });
  afterAll(async () => {
    await client?.close();
    await harness?.end();
  });

  it.each(['the same batch', 'another one'])('is taken up, or out of the way, of %s', async (which) => {
    const place = { database: clickhouseDatabase(harness.config), table: '_rows_removed' };
    const write = (tx: number, name: string | null) =>
      harness.sink.write(
        dataset,
        hers.map((key) =>
          change(dataset, key, at(tx), name === null ? null : { id: key[0], part: Number(key[1]), name }),
        ),
      );
    await write(1, 'older');
    await write(30, null);
    const id = random();
    const batch = new KeyBatch(client, place.database, dataset, id);
    await batch.write(removed);
    await batch.doom(place.table, true);
    const condition = `(id, part, _lethe_version) IN (SELECT id, part, _lethe_version FROM ${batch.doomed})`;
    const { table } = harness;
    await harness.plain.command({ query: `SYSTEM STOP MERGES ${table(dataset)}` });
    await harness.plain.command({
      query: `ALTER TABLE ${table(dataset)} DELETE WHERE ${condition} SETTINGS mutations_sync = 0`,
    });
    await hurryParts(client, place);
    await batch.drop();
    await harness.plain.command({ query: `SYSTEM START MERGES ${table(dataset)}` });
    const fails = async () =>
      (
        await harness.select(
          `SELECT 1 FROM system.mutations WHERE database = '${place.database}' AND latest_fail_reason != '' AND NOT is_done`,
        )
      ).length > 0;
    await waitUntil(fails, 30_000, 'what was begun to fail');
    const again = which === 'the same batch' ? id : random();
    const [done] = await removeOlderRows(client, harness.config, dataset, removed, again, waiting);
    expect(done).toMatchObject({ rowsAfter: 0, mutations: 1 });
    const open = await harness.select(
      `SELECT command FROM system.mutations WHERE database = '${place.database}' AND NOT is_done`,
    );
    expect(open).toEqual([]);
    expect(await isHurried(client, place)).toBe(false);
  });
});
