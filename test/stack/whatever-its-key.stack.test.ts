import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../erasure/certificate.ts';
import { clickhouseDatabase, clickhouseTable, indexAlias } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = (table: string, subject: string, columns: string) => `table: public.${table}
owner: o
tier: 1
subject: { type: customer, ${subject} }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
  id: { classification: internal, action: keep }
${columns}`;
const contracts = {
  'people.yaml': contract(
    'people',
    'key: customer_id',
    `  customer_id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
`,
  ),
  'orders.yaml': contract(
    'orders',
    'key: customer_id',
    `  customer_id: { classification: person.id, action: hash }
  total: { classification: internal, action: keep }
`,
  ),
  'visits.yaml': contract(
    'visits',
    'key: customer_id',
    `  customer_id: { classification: person.id, action: drop }
  ip: { classification: person.contact, action: encrypt }
`,
  ),
  'items.yaml': contract(
    'items',
    'path: [order_id, public.orders.customer_id]',
    `  order_id: { classification: internal, action: keep }
  article: { classification: internal, action: keep }
`,
  ),
};
const told = ['people', 'orders', 'visits'];

/** Rows in the stores that no change of the source made: somebody copied them, under keys of his own. */
describe('what the stores have of a person under other keys', { timeout: 300_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let commands: LetheCommands;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`
      create table people (id int primary key, customer_id int not null, email text);
      create table orders (id int primary key, customer_id int not null, total int);
      create table visits (id int primary key, customer_id int not null, ip text);
      create table items (id int primary key, order_id int not null, article text);
      create index on people (customer_id); create index on orders (customer_id);
      create index on visits (customer_id); create index on items (order_id);
      insert into people select i, i, 'mail-' || i || '@mail.example' from generate_series(1, 10) i;
      insert into orders select i, 1 + i % 10, 100 * i from generate_series(1, 30) i;
      insert into visits select i, 1 + i % 10, '192.0.2.' || i from generate_series(1, 30) i;
      insert into items select i, i, 'article ' || i from generate_series(1, 30) i`);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  /** Copies each row of a table, in both stores, under the id of the original and a thousand. */
  async function copyRows(table: string): Promise<void> {
    const { config } = live.project!;
    const elasticsearch = createElasticsearchClient(config.elasticsearch!);
    const clickhouse = createClickhouseClient(config.clickhouse!);
    try {
      const index = indexAlias(config, `public.${table}`);
      await elasticsearch.indices.refresh({ index });
      const { hits } = await elasticsearch.search<Record<string, unknown>>({ index, size: 1_000 });
      const operations = hits.hits.flatMap(({ _source: source }) => [
        { index: { _id: `copy of ${Number(source!['id'])}` } },
        { ...source, id: 1_000 + Number(source!['id']) },
      ]);
      expect((await elasticsearch.bulk({ index, operations, refresh: true })).errors).toBe(false);
      const rows = `${clickhouseDatabase(config)}.${clickhouseTable(`public.${table}`, 1)}`;
      await clickhouse.command({
        query: `INSERT INTO ${rows} SELECT * REPLACE (id + 1000 AS id) FROM ${rows} FINAL WHERE _lethe_deleted = 0`,
      });
    } finally {
      await elasticsearch.close();
      await clickhouse.close();
    }
  }

  /** Of which rows each store has copies, by the ids of the originals. */
  async function copies(table: string): Promise<Record<'elasticsearch' | 'clickhouse', number[]>> {
    const { config } = live.project!;
    const elasticsearch = createElasticsearchClient(config.elasticsearch!);
    const clickhouse = createClickhouseClient(config.clickhouse!);
    try {
      const index = indexAlias(config, `public.${table}`);
      await elasticsearch.indices.refresh({ index });
      const query = { range: { id: { gt: 1_000 } } };
      const { hits } = await elasticsearch.search<{ id: number }>({ index, size: 1_000, query });
      const answer = await clickhouse.query({
        query: `SELECT DISTINCT id FROM ${clickhouseDatabase(config)}.${clickhouseTable(`public.${table}`, 1)} WHERE id > 1000 AND _lethe_deleted = 0`,
        format: 'JSONEachRow',
      });
      const ids = (all: readonly number[]) => all.map((id) => id - 1_000).toSorted((a, b) => a - b);
      return {
        elasticsearch: ids(hits.hits.map(({ _source: source }) => source!.id)),
        clickhouse: ids((await answer.json<{ id: number }>()).map(({ id }) => id)),
      };
    } finally {
      await elasticsearch.close();
      await clickhouse.close();
    }
  }

  it('goes with the person, and nobody else’s goes', async () => {
    for (const table of told) await copyRows(table);
    const left = async (of: (customer: number) => boolean) => {
      for (const table of told) {
        const { rows } = await client.query<{ id: number; customer_id: number }>(
          `select id, customer_id from ${table} order by id`,
        );
        const ids = rows.filter((row) => of(row.customer_id)).map(({ id }) => id);
        expect(await copies(table), table).toEqual({ elasticsearch: ids, clickhouse: ids });
      }
    };
    await left(() => true);
    // Whoever asks what is known of a person is told of the copies as well, and of nobody else's.
    for (const { table, stores } of (await commands.exported(7)).tables) {
      const { rows } = await client.query<{ id: number }>(
        `select id from ${table} where ${table === 'public.items' ? 'order_id % 10 = 6' : 'customer_id = 7'}`,
      );
      const ids = rows.map(({ id }) => id);
      const copied = told.includes(table.slice('public.'.length)) ? ids.map((id) => 1_000 + id) : [];
      for (const store of ['elasticsearch', 'clickhouse'] as const) {
        const found = stores[store].map(({ id }) => Number(id)).toSorted((a, b) => a - b);
        expect(found, `${table} in ${store}`).toEqual([...ids, ...copied].toSorted((a, b) => a - b));
      }
    }
    const done = await commands.run([
      'erase',
      '--subject',
      'customer:7',
      '--reason',
      'Art. 17',
      '--request-id',
      'r-1',
    ]);
    expect(done.code, done.err).toBe(0);
    await left((customer) => customer !== 7);
  });

  it('is told in the certificate: how it was looked for, how much there was, and where nobody can', async () => {
    const { certificate } = await commands.json<{ certificate: Certificate }>('erase', 'certificate', 'r-1');
    const cleared = certificate.steps.find(({ step }) => step === 'stores-cleared')!;
    // One of people, three orders, three visits; in each of two stores.
    expect(cleared.evidence['foundBySubject']).toBe(14);
    for (const store of ['elasticsearch', 'clickhouse']) {
      const place = certificate.places.find((one) => one.place === `${store} by subject`)!;
      // By what it says of him in people and in orders, and by his key.
      expect(place).toMatchObject({ verdict: 'clean', asked: 3, found: 0 });
      expect(place.controls).toBeGreaterThan(0);
      expect(place.records).toBeGreaterThanOrEqual(2 * (9 + 27 + 27));
    }
    const untold = certificate.notExamined.filter(({ what }) => what.includes('somebody else wrote'));
    expect(untold.map(({ what }) => what)).toEqual([expect.stringContaining('public.items')]);
    expect(untold[0]!.what).not.toContain('public.orders');
  });

  it('is found again by whoever looks later, and goes then', async () => {
    // Who did it copied them from a backup, after the person was gone: under keys which the tombstones do not have either.
    const { config } = live.project!;
    const elasticsearch = createElasticsearchClient(config.elasticsearch!);
    const index = indexAlias(config, 'public.people');
    const { hits } = await elasticsearch.search<Record<string, unknown>>({
      index,
      query: { term: { customer_id: 8 } },
    });
    const document = { ...hits.hits[0]!._source, customer_id: 7, id: 2_007 };
    await elasticsearch.index({ index, id: 'from a backup', document, refresh: true });
    const again = await commands.run([
      'erase',
      '--subject',
      'customer:7',
      '--reason',
      'again',
      '--request-id',
      'r-2',
    ]);
    expect(again.code, again.err).toBe(0);
    const { count } = await elasticsearch.count({ index, query: { term: { customer_id: 7 } } });
    expect(count).toBe(0);
    await elasticsearch.close();
  });
});
