import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import { waitForPurge } from '../../cli/wait-for-purge.ts';
import { canaries } from '../../examples/beancart/canaries.ts';
import { loadSample, loadSchema } from '../../examples/beancart/sample.ts';
import { startTraffic } from '../../examples/beancart/traffic.ts';
import { rawTopic } from '../../schemas/names.ts';
import { PART_NAMES } from '../../stack/part-name.ts';
import { openStack, type Stack } from '../../stack/stack.ts';
import { pipelinePlaces } from '../../verify/places/pipeline-places.ts';
import { formatScan } from '../../verify/report.ts';
import { isClean, scanForCanaries } from '../../verify/scan.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

describe('BeanCart from the WAL to both stores', () => {
  let stack: Stack;
  let live: LivePipeline;
  let instance: Instance;

  beforeAll(async () => {
    const shared = await acquireStack();
    stack = openStack(shared.dir);
    live = await LivePipeline.create(shared, 'examples/beancart/lethe.yaml', 3);
    const client = new Client({ connectionString: live.source.url });
    await client.connect();
    await loadSchema(client);
    await loadSample(client, { customers: 80, seed: 7 });
    await client.end();
    await live.apply();
    instance = live.run();
    await live.ready(instance);
  });

  afterAll(async () => {
    await live?.close();
  });

  it('the snapshot arrives equal', async () => {
    await live.expectEqual();
  });

  it('live traffic arrives equal, with a clean stop within 10 s and a start in its middle', async () => {
    const traffic = startTraffic(live.source.url, { seed: 7, transactionsPerSecond: 30 });
    try {
      await waitUntil(() => traffic.report().transactions >= 60, 120_000, 'traffic');
      const stopping = performance.now();
      instance.child.kill('SIGTERM');
      expect(await instance.ended).toBe(0);
      expect(performance.now() - stopping).toBeLessThan(10_000);
      instance = live.run();
      await live.ready(instance);
      const { statements } = traffic.report();
      const seen = Object.values(statements).reduce((sum, n) => sum + n, 0);
      await waitUntil(
        () => Object.values(traffic.report().statements).reduce((sum, n) => sum + n, 0) > seen + 100,
        120_000,
        'traffic',
      );
    } finally {
      const report = await traffic.stop();
      expect(report.failures).toEqual({});
    }
    await live.expectEqual();
  });

  it('status tells that all is read, within its objective, and nothing is dead', async () => {
    const { config, datasets } = live.project!;
    await waitUntil(async () => (await readStatus(config, datasets)).healthy, 30_000, 'a healthy status');
    const status = await readStatus(config, datasets);
    expect(status.connector.state).toBe('RUNNING');
    expect(status.slot).toMatchObject({ active: true, wal: 'reserved' });
    expect(status.deadLetters).toEqual([]);
    expect(status.groups.map((g) => g.lag)).toEqual([0, 0, 0]);
    for (const sink of status.sinks) expect(sink).toMatchObject({ met: true, rawLag: 0, cleanLag: 0 });
  });

  it('no protected value stands anywhere, in topics, segments, documents, rows, files, schemas or logs', async () => {
    const { config, datasets, contracts } = live.project!;
    const topics = datasets.map((d) => rawTopic(config, d.table));
    const logDir = join(stack.partDir('kafka').data, 'logs');
    const purged = (some: string[], limitMs: number): Promise<boolean> =>
      waitForPurge(logDir, some, limitMs, AbortSignal.timeout(limitMs + 1_000));
    if (!(await purged(topics, 240_000))) {
      const left = await Promise.all(
        topics.map(async (topic) => ((await purged([topic], 1)) ? [] : [topic])),
      );
      expect.fail(`raw topics whose files still hold rows: ${left.flat().join(', ')}`);
    }
    const logs = [...PART_NAMES.map((part) => stack.partDir(part).logFile), ...live.logs()];
    const places = pipelinePlaces(
      config,
      contracts.map((c) => c.contract),
      { logs },
    );
    const reports = await scanForCanaries({ places, canaries: canaries() });
    if (!isClean(reports)) expect.fail(formatScan(reports, { colour: false }));
    for (const report of reports.filter((r) => r.place !== 'dead letter topics')) {
      expect(report.records + report.files, report.place).toBeGreaterThan(0);
    }
  });
});
