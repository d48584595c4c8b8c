import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSample, loadSchema } from '../../examples/beancart/sample.ts';
import { startTraffic, type Traffic } from '../../examples/beancart/traffic.ts';
import { openStack, type Stack } from '../../stack/stack.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

/** Where a transform dies in its transaction; `before-send` has nothing open, `after-commit` has lost only the memory of it. */
const crashPoints = ['before-send', 'after-send', 'after-offsets', 'after-commit'] as const;
const preload = pathToFileURL(join(import.meta.dirname, '..', 'support', 'crash-preload.mjs')).href;
const seed = Number(process.env['LETHE_SEED'] ?? Date.now() % 1_000_000);

/**
 * Invariant: whatever was killed, and however often, both stores and the clean topics end equal to the contracts applied to
 * Postgres, row by row and value by value, and no statement of the application ever failed because of Lethe.
 */
describe('after kill -9 in mid-traffic, three transforms over six partitions', () => {
  let stack: Stack;
  let live: LivePipeline;
  let traffic: Traffic;
  let elasticsearch: Instance;
  let clickhouse: Instance;

  beforeAll(async () => {
    console.log(`seed ${seed}`);
    const shared = await acquireStack();
    stack = openStack(shared.dir);
    live = await LivePipeline.create(shared, 'examples/beancart/lethe.yaml', 6);
    const client = new Client({ connectionString: live.source.url });
    await client.connect();
    await loadSchema(client);
    await loadSample(client, { customers: 60, seed });
    await client.end();
    await live.apply();
    const transforms = [live.run(['--only', 'transform']), live.run(['--only', 'transform'])];
    elasticsearch = live.run(['--only', 'elasticsearch']);
    clickhouse = live.run(['--only', 'clickhouse']);
    await Promise.all([...transforms, elasticsearch, clickhouse].map((i) => live.ready(i)));
    traffic = startTraffic(live.source.url, { seed, transactionsPerSecond: 20 });
  });

  afterAll(async () => {
    await traffic?.stop().catch(() => undefined);
    await live?.close();
  });

  /** Something must be under way when a part dies. */
  async function moreTraffic(transactions: number): Promise<void> {
    const from = traffic.report().transactions;
    await waitUntil(() => traffic.report().transactions >= from + transactions, 120_000, 'traffic');
  }

  it.each(crashPoints)('the third transform dies %s', async (point) => {
    const instance = live.run(['--only', 'transform'], { LETHE_CRASH: `${point}:4` }, preload);
    expect(await instance.ended).toBe('SIGKILL');
  });

  it('the Elasticsearch sink dies and comes back', async () => {
    await moreTraffic(20);
    elasticsearch.child.kill('SIGKILL');
    expect(await elasticsearch.ended).toBe('SIGKILL');
    elasticsearch = live.run(['--only', 'elasticsearch']);
    await live.ready(elasticsearch);
  });

  it('the ClickHouse sink dies and comes back', async () => {
    await moreTraffic(20);
    clickhouse.child.kill('SIGKILL');
    expect(await clickhouse.ended).toBe('SIGKILL');
    clickhouse = live.run(['--only', 'clickhouse']);
    await live.ready(clickhouse);
  });

  it('Connect dies and comes back, twice', async () => {
    for (let death = 0; death < 2; death++) {
      await moreTraffic(20);
      await stack.kill('connect');
      await moreTraffic(40);
      await stack.start('connect');
    }
  });

  it('Kafka itself dies and comes back', async () => {
    await moreTraffic(20);
    await stack.kill('kafka');
    await moreTraffic(60);
    await stack.start('kafka');
  });

  it('Elasticsearch itself dies, is away for a while, and comes back: said once', async () => {
    await moreTraffic(10);
    await stack.kill('elasticsearch');
    const outages = () =>
      readFileSync(elasticsearch.logFile, 'utf8').match(/"server":"elasticsearch","reason"/g)?.length ?? 0;
    await waitUntil(() => outages() > 0, 120_000, 'the sink to say that Elasticsearch is away');
    await moreTraffic(40);
    expect(outages()).toBe(1);
    await stack.start('elasticsearch');
    await waitUntil(
      () => readFileSync(elasticsearch.logFile, 'utf8').includes('answers again'),
      120_000,
      'the sink to go on',
    );
  });

  it('and everything is equal, and the application never noticed', async () => {
    await moreTraffic(20);
    const report = await traffic.stop();
    expect(report.failures).toEqual({});
    const comparisons = await live.expectEqual();
    expect(comparisons.length).toBe(9);
    expect(comparisons.reduce((sum, c) => sum + c.rows, 0)).toBeGreaterThan(500);
  });
});
