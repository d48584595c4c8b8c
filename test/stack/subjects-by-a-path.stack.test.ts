import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { topicSpecs } from '../../connectors/kafka/topic-settings.ts';
import { describeCiphertext } from '../../keys/ciphertext.ts';
import { indexAlias, lookupTopic, parkedTopic, signalTopic } from '../../schemas/names.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { kafkaTopicsPlace } from '../../verify/places/kafka-topics.ts';
import { logsPlace } from '../../verify/places/logs.ts';
import { scanForCanaries } from '../../verify/scan.ts';
import { allEqual, comparePipeline, type TableComparison } from '../../verify/compare.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { pathContracts, pathSchema } from '../support/path-shop.ts';
import { acquireStack } from '../support/stack.ts';

/** Stands in addresses and bodies, which go nowhere in the clear. */
const canary = `zq${randomBytes(6).toString('hex')}`;
/** Long enough for a signal to get to Debezium, for the rows to be read and to arrive. */
const rereadMs = 120_000;

describe('rows whose subject and consent are found by paths over foreign keys', () => {
  let live: LivePipeline;
  let client: Client;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), pathContracts('3s'), 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(pathSchema);
    await client.query(`
      insert into customers select i, 'c' || i || '@mail.example', i % 2 = 0, null from generate_series(1, 10) i;
      insert into orders select 100 + i, 1 + i % 10 from generate_series(1, 40) i;
      insert into order_items select 1000 + i, 101 + i % 40, 'note ' || i from generate_series(1, 120) i;
      insert into newsletters select 5000 + i, 1 + i % 10, 'topic ' || i from generate_series(1, 30) i;
      insert into mailboxes select 'box' || i || '-${canary}@mail.example', i from generate_series(1, 10) i;
      insert into letters select 7000 + i, 'box' || (1 + i % 10) || '-${canary}@mail.example', 'dear ${canary} ' || i
        from generate_series(1, 20) i`);
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  const query = (text: string, values: unknown[] = []) => client.query(text, values);
  const status = () => readStatus(live.project!.config, live.project!.datasets);
  const parked = async (table: string) =>
    (await status()).parked.find((entry) => entry.table === table)?.count ?? 0;

  /** Waits until the oracle agrees: what is read again comes when it comes. */
  async function equalInTime(): Promise<TableComparison[]> {
    const { config, datasets, contracts } = live.project!;
    const all = contracts.map(({ contract }) => contract);
    const until = performance.now() + rereadMs;
    for (;;) {
      await waitForSinks(config, datasets, { signal: AbortSignal.timeout(rereadMs) });
      const comparisons = await comparePipeline(config, all);
      if (allEqual(comparisons)) return comparisons;
      if (performance.now() > until) break;
    }
    return await live.expectEqual();
  }

  /** Id of the key that an item's note is under, as Elasticsearch has it. */
  async function keyIdOf(item: number): Promise<string> {
    const { config } = live.project!;
    const elasticsearch = createElasticsearchClient(config.elasticsearch!);
    const index = indexAlias(config, 'public.order_items');
    const { hits } = await elasticsearch.search<{ note: string }>({ index, query: { term: { id: item } } });
    await elasticsearch.close();
    return describeCiphertext(Buffer.from(hits.hits[0]!._source!.note, 'base64'))!.keyId.toString('hex');
  }

  async function rows(table: string): Promise<number> {
    const comparisons = await equalInTime();
    return comparisons.find((comparison) => comparison.table === table)!.rows;
  }

  it('are right after the snapshot and in the stream', async () => {
    await live.apply();
    // Two transforms share the partitions, and the folder of what they look up.
    await Promise.all(
      [live.run(), live.run(['--only', 'transform'])].map((instance) => live.ready(instance)),
    );
    await equalInTime();
    expect(await rows('public.order_items')).toBe(120);
    expect(await rows('public.newsletters')).toBe(15);
    await query(`
      begin;
      insert into customers values (11, 'c11@mail.example', true, null);
      insert into orders values (200, 11);
      insert into order_items values (2000, 200, 'fresh'), (2001, 200, 'fresh too');
      insert into newsletters values (6000, 11, 'fresh');
      commit;
      update order_items set note = 'changed' where id % 7 = 0`);
    await equalInTime();
    expect(await rows('public.order_items')).toBe(122);
    expect(await rows('public.newsletters')).toBe(16);
  });

  it('wait for a parent that comes later, and leave in their order; one that never comes is a dead letter', async () => {
    await query(`alter table order_items drop constraint order_items_order_id_fkey`);
    await query(`insert into order_items values (3000, 300, 'early')`);
    await query(`update order_items set note = 'early, once' where id = 3000`);
    await query(`update order_items set note = 'early, twice' where id = 3000`);
    await waitUntil(async () => (await parked('public.order_items')) === 3, 60_000, 'the rows to be parked');
    await query(`insert into orders values (300, 3)`);
    await waitUntil(
      async () => (await parked('public.order_items')) === 0,
      60_000,
      'the rows to be released',
    );
    await equalInTime();
    await query(`insert into order_items values (3001, 301, 'orphan')`);
    await waitUntil(
      async () =>
        (await status()).deadLetters.some(
          ({ table, code, count }) =>
            table === 'public.order_items' && code === 'SUBJECT_UNRESOLVED' && count === 1,
        ),
      60_000,
      'the dead letter',
    );
    expect(await parked('public.order_items')).toBe(0);
    await query(`delete from order_items where id = 3001`);
    await equalInTime();
  });

  it('a delete takes what waits of its row with it', async () => {
    await query(`insert into order_items values (3002, 302, 'short')`);
    await query(`delete from order_items where id = 3002`);
    await equalInTime();
    expect(await parked('public.order_items')).toBe(0);
  });

  it('go to the new subject when what they hang on moves, so that the old key opens them no more', async () => {
    const before = await keyIdOf(1001);
    await query(`update orders set customer_id = 4 where id in (102, 103, 200)`);
    await equalInTime();
    const after = await keyIdOf(1001);
    expect(after).not.toBe(before);
    await query(`update orders set customer_id = 5 where id between 103 and 110`);
    await query(`update orders set customer_id = 6 where id between 108 and 115`);
    await query(`update mailboxes set customer_id = 2 where address like 'box1-%'`);
    await equalInTime();
    expect(await keyIdOf(1001)).toBe(after);
  });

  it('are taken back when consent is withdrawn, and return when it is given again', async () => {
    const letters = await rows('public.letters');
    await query(`update customers set opted_in = false where id = 2`);
    await equalInTime();
    expect(await rows('public.newsletters')).toBe(13);
    // Of two mailboxes by now: theirs are taken back over two hops.
    expect(await rows('public.letters')).toBe(letters - 4);
    await query(`update customers set opted_in = true where id in (2, 3)`);
    await equalInTime();
    expect(await rows('public.newsletters')).toBe(19);
  });

  it('leave nothing in the clear where they wait, are looked up, or are asked for again', async () => {
    const { config, datasets } = live.project!;
    const of = (name: (...of: [typeof config, string]) => string) =>
      datasets.map(({ table }) => name(config, table));
    const made = new Set(topicSpecs(config, datasets).map(({ topic }) => topic));
    const topics = [...of(lookupTopic), ...of(parkedTopic)].filter((topic) => made.has(topic));
    expect(topics).toHaveLength(6);
    const places = [
      kafkaTopicsPlace(config, 'topics', [...topics, signalTopic(config)]),
      logsPlace([config.state], 'state'),
      logsPlace(live.logs()),
    ];
    const canaries = [{ table: '', column: '', action: 'hash' as const, bytes: [Buffer.from(canary)] }];
    const reports = await scanForCanaries({ places, canaries });
    expect(reports.map(({ found, problems }) => ({ found, problems }))).toEqual(
      places.map(() => ({ found: 0, problems: [] })),
    );
    expect(reports.every(({ bytes }) => bytes > 0)).toBe(true);
    expect((await status()).deadLetters.map(({ code }) => code)).toEqual(['SUBJECT_UNRESOLVED']);
  });
});
