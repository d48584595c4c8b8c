import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateDocument } from '../../erasure/certificate-document.ts';
import { clickhouseDatabase, clickhouseTable } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = (table: string, subject: string, columns: string) => `table: public.${table}
owner: o
tier: 1
subject: { type: customer, key: ${subject} }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
${columns}`;
const contracts = {
  'people.yaml': contract('people', 'id', '  id: { classification: person.id, action: keep }\n'),
  'orders.yaml': contract(
    'orders',
    'customer_id',
    `  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
  ),
  // Whose key says nothing of the source's.
  'cards.yaml': contract(
    'cards',
    'customer_id',
    `  number: { classification: payment.card, action: hash }
  customer_id: { classification: person.id, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
  ),
};

/** Rows that are given to somebody else before, while and after it is noted whose they are. */
describe('rows that change hands while a person is erased', { timeout: 300_000 }, () => {
  const [person, other] = [7, 8];
  /** Given away before; between two steps; with the transform away; and one that is the person's to the end. */
  const [before, between, late, kept] = [601, 602, 603, 604];
  let live: LivePipeline;
  let client: Client;
  let commands: LetheCommands;
  let transform: Instance;
  const give = async (id: number) => {
    for (const [table, key] of [
      ['orders', 'id'],
      ['cards', 'number'],
    ])
      await client.query(`update ${table} set customer_id = $2 where ${key} = $1`, [id, other]);
  };
  const stepOf = async () => (await commands.json<{ step: string }>('erase', 'status', 'R-1')).step;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`
      create table people (id int primary key);
      create table orders (id int primary key, customer_id int not null, note text);
      create table cards (number int primary key, customer_id int not null, note text);
      create index on orders (customer_id); create index on cards (customer_id);
      insert into people select generate_series(1, 50);
      insert into orders select g, 1 + g % 50, 'note ' || g from generate_series(1, 300) g;
      insert into cards select g, 1 + g % 50, 'note ' || g from generate_series(1, 300) g`);
    for (const id of [before, between, late, kept])
      for (const table of ['orders', 'cards'])
        await client.query(`insert into ${table} values ($1, $2, 'theirs ' || $3::text)`, [id, person, id]);
    await live.apply();
    transform = live.run(['--only', 'transform']);
    await live.ready(live.run(['--only', 'elasticsearch,clickhouse']));
    await live.ready(transform);
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('are there in the end, under the key of whom they belong to; nothing of the person is', async () => {
    await give(before);
    await live.expectEqual();
    const crash = join(packageRoot(), 'test', 'support', 'erasure-crash.mjs');
    const file = ['erase', '--subject', `customer:${person}`, '--reason', 'Art. 17', '--request-id', 'R-1'];
    await commands.run(file, {
      LETHE_TEST_CRASH: 'inventoried/noted',
      NODE_OPTIONS: `--import ${crash}`,
    });
    expect(await stepOf()).toBe('suppressed');
    await give(between);
    await live.expectEqual();
    transform.child.kill();
    await transform.ended;
    await give(late);
    const erasing = commands.run(['erase', 'resume', 'R-1']);
    await waitUntil(
      async () => (await stepOf()) === 'topics-compacted',
      120_000,
      'the tombstones to be there',
    );
    await live.ready(live.run(['--only', 'transform']));
    const { code, err } = await erasing;
    expect(code, err).toBe(0);
    const { certificate } = JSON.parse(
      (await commands.run(['erase', 'certificate', 'R-1'])).out,
    ) as CertificateDocument;
    expect(certificate.places.filter(({ found }) => (found ?? 0) > 0)).toEqual([]);
    // They are read again beside the stream, and come when the connector has got to it.
    const given = async () => (await commands.countsOf(other)).flat().join();
    const all = (await commands.exported(other)).tables.flatMap(({ source }) => Array(3).fill(source.length));
    await waitUntil(async () => (await given()) === all.join(), 60_000, 'the rows that changed hands');
    await live.expectEqual();
    const { tables } = await commands.exported(other);
    for (const store of ['elasticsearch', 'clickhouse'] as const) {
      for (const { stores } of tables.filter(({ table }) => table !== 'public.people')) {
        const notes = stores[store].map(({ note }) => note);
        for (const id of [before, between, late]) expect(notes, store).toContain(`theirs ${id}`);
        expect(notes).not.toContain(`theirs ${kept}`);
      }
    }
    expect(await commands.countsOf(person)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('leave nothing of who gave away the only one that they had', async () => {
    const [giver, id] = [51, 701];
    const { config } = live.project!;
    await client.query('insert into people values ($1)', [giver]);
    await client.query(`insert into orders values ($1, $2, 'only one')`, [id, giver]);
    await live.expectEqual();
    await give(id);
    await live.expectEqual();
    // Merged, and kept for eight minutes: no row tells of the giver then.
    const clickhouse = createClickhouseClient(config.clickhouse!);
    const rows = `${clickhouseDatabase(config)}.${clickhouseTable('public.orders', 1)}`;
    await clickhouse.command({ query: `OPTIMIZE TABLE ${rows} FINAL` });
    await clickhouse.close();
    const args = ['erase', '--subject', `customer:${giver}`, '--reason', 'Art. 17', '--request-id', 'R-2'];
    const { code, err } = await commands.run(args);
    expect(code, err).toBe(0);
    await live.expectEqual();
  });
});
