import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import { previewTable } from '../../cli/preview.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { allEqual, comparePipeline } from '../../verify/compare.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { pathContracts, pathSchema } from '../support/path-shop.ts';
import { acquireStack } from '../support/stack.ts';

/** Longer than the test: a row that waits for a row which is not read again makes it fail. */
const contracts = pathContracts('1h');
const before = contracts['order_items.yaml']!.replace(/^(subject|parking): .*\n/gm, '').replace(
  /^ {2}note: .*\n/m,
  '',
);

describe('a contract that gets a path when its pipeline has run for long', () => {
  let live: LivePipeline;
  let client: Client;
  let instance: Instance;

  beforeAll(async () => {
    const own = { 'customers.yaml': contracts['customers.yaml']!, 'orders.yaml': contracts['orders.yaml']! };
    live = await LivePipeline.ofContracts(await acquireStack(), { ...own, 'order_items.yaml': before }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(pathSchema);
    await client.query(`
      insert into customers select i, 'c' || i || '@mail.example', true, null from generate_series(1, 5) i;
      insert into orders select 100 + i, 1 + i % 5 from generate_series(1, 10) i;
      insert into order_items select 1000 + i, 101 + i % 10, 'note ' || i from generate_series(1, 40) i`);
    await live.apply();
    instance = live.run();
    await live.ready(instance);
    await live.expectEqual();
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('has what it looks up read again, and its own rows after it', async () => {
    writeFileSync(join(live.folder, 'contracts', 'order_items.yaml'), contracts['order_items.yaml']!);
    await live.apply();
    const old = instance;
    instance = live.run();
    await live.ready(instance);
    old.child.kill('SIGTERM');
    await old.ended;
    const { config, datasets, contracts: loaded } = live.project!;
    const all = loaded.map(({ contract }) => contract);
    const isEqual = async () => {
      await waitForSinks(config, datasets, { signal: AbortSignal.timeout(120_000) });
      return allEqual(await comparePipeline(config, all));
    };
    await waitUntil(isEqual, 120_000, 'all rows to be under their subjects');
    expect((await readStatus(config, datasets)).parked.map(({ count }) => count)).toEqual([0]);
  });

  it('is shown by a preview with the subjects that the source has now', async () => {
    await client.query('alter table order_items drop constraint order_items_order_id_fkey');
    await client.query(`insert into order_items values (1, 999, 'of no order')`);
    const { rows } = await previewTable(live.configPath, 'order_items', 2);
    expect(rows).toMatchObject([{ failed: 'SUBJECT_UNRESOLVED' }, { values: expect.any(Map) }]);
    // Over a key of text and two hops; nobody agreed on the second row's way.
    for (const file of ['mailboxes.yaml', 'letters.yaml'])
      writeFileSync(join(live.folder, 'contracts', file), contracts[file]!);
    await client.query(`update customers set opted_in = false where id = 2`);
    await client.query(`insert into mailboxes values ('one@mail.example', 1), ('two@mail.example', 2)`);
    await client.query(
      `insert into letters values (1, 'one@mail.example', 'dear'), (2, 'two@mail.example', 'dear')`,
    );
    const letters = await previewTable(live.configPath, 'letters', 2);
    expect(letters.rows).toMatchObject([{ values: expect.any(Map) }, { withheld: true }]);
  });
});
