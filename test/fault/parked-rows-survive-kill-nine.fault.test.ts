import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import { allEqual, comparePipeline } from '../../verify/compare.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { pathContracts, pathSchema } from '../support/path-shop.ts';
import { acquireStack } from '../support/stack.ts';

const preload = pathToFileURL(join(import.meta.dirname, 'harness', 'fault-points.mjs')).href;
const items = 'public.order_items';

/** Invariant: what waits is in Kafka, not in a process; its time does not run while nobody is there to look. */
describe('a transform that is killed while rows wait', () => {
  let live: LivePipeline;
  let client: Client;
  let transform: Instance;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), pathContracts('5s'), 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(pathSchema);
    await client.query('alter table order_items drop constraint order_items_order_id_fkey');
    await client.query(`
      insert into customers select i, 'c' || i || '@mail.example', true, null from generate_series(1, 5) i;
      insert into orders values (1, 1), (2, 2);
      insert into order_items values (1, 1, 'one'), (2, 2, 'two')`);
    await live.apply();
    transform = live.run(['--only', 'transform']);
    await Promise.all(
      [transform, live.run(['--only', 'elasticsearch,clickhouse'])].map((i) => live.ready(i)),
    );
    await live.expectEqual();
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  const status = () => readStatus(live.project!.config, live.project!.datasets);
  const parked = async () => (await status()).parked.find(({ table }) => table === items)!.count;
  const parkedAre = (count: number) =>
    waitUntil(async () => (await parked()) === count, 60_000, `${count} rows in waiting`);

  async function equalInTime(): Promise<void> {
    const { config, contracts } = live.project!;
    const all = contracts.map(({ contract }) => contract);
    await waitUntil(
      async () => allEqual(await comparePipeline(config, all)),
      90_000,
      'the oracle to agree',
    ).catch(() => live.expectEqual());
  }

  it('finds them again, though their time was up while it was away, and releases them', async () => {
    await client.query(
      `insert into order_items select 100 + i, 100 + i, 'early' from generate_series(1, 20) i`,
    );
    await client.query(`update order_items set note = 'early, twice' where id > 100`);
    await parkedAre(40);
    transform.child.kill('SIGKILL');
    expect(await transform.ended).toBe('SIGKILL');
    await client.query(`insert into orders select 100 + i, 1 + i % 5 from generate_series(1, 20) i`);
    const goneAt = Date.now();
    await waitUntil(() => Date.now() - goneAt > 6_000, 10_000, 'their deadline to pass');
    transform = live.run(['--only', 'transform']);
    await live.ready(transform);
    await parkedAre(0);
    await equalInTime();
    expect((await status()).deadLetters).toEqual([]);
  });

  // The two ends of a transaction; any-fault-converges dies at every point of one.
  it.each(['before-send', 'after-commit'])(
    'releases them once, when it dies %s while it does so',
    async (point) => {
      const id = 1_000 + point.length * 10;
      await client.query(
        `insert into order_items values (${id}, ${id}, 'early'), (${id} + 1, ${id}, 'early')`,
      );
      await parkedAre(2);
      transform.child.kill('SIGKILL');
      await transform.ended;
      await client.query(`insert into orders values (${id}, 3)`);
      // Its first transaction is that of the order, in the next one rows are released.
      const dying = live.run(['--only', 'transform'], { LETHE_CRASH: `${point}:2` }, preload);
      expect(await dying.ended).toBe('SIGKILL');
      transform = live.run(['--only', 'transform']);
      await live.ready(transform);
      await parkedAre(0);
      await equalInTime();
      expect((await status()).deadLetters).toEqual([]);
    },
  );
});
