import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import type { CertificateBody } from '../../erasure/certificate.ts';
import { createLookupCipher } from '../../keys/lookup-cipher.ts';
import { nothingReserved } from '../../keys/reserve-encryptions.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import { quoteName } from '../../connectors/postgres/quote.ts';
import { cleanTopic, lookupTopic, parkedTopic, publicationName } from '../../schemas/names.ts';
import { header } from '../../schemas/record-headers.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = (
  table: string,
  subject: string,
  columns: string,
  source = 'delete',
) => `table: public.${table}
owner: test@lethe.example
tier: 1
subject: { type: customer, ${subject} }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: ${source} }
${columns}`;
const contracts = {
  'customers.yaml': contract(
    'customers',
    'key: id',
    `columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
`,
  ),
  'orders.yaml': contract(
    'orders',
    'key: customer_id',
    `columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: drop }
`,
  ),
  // Nothing here goes out because its time is up.
  'order_items.yaml': contract(
    'order_items',
    'path: [order_id, public.orders.customer_id]',
    `parking: { deadline: 2h }
columns:
  id: { classification: internal, action: hash }
  order_id: { classification: internal, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
    'application',
  ),
};
const schema = `
  create table customers (id int primary key, email text not null);
  create table orders (id int primary key, customer_id int not null references customers);
  create index on orders (customer_id);
  create table order_items (id int primary key, order_id int not null, note text);
  create index on order_items (order_id)`;

/** Of what waits when a person is erased: order 300 was theirs, order 400 is somebody else's, orders 998 and 999 were never seen. */
describe('rows that wait for another row when a person is erased', { timeout: 600_000 }, () => {
  const table = 'public.order_items';
  let live: LivePipeline;
  let client: Client;
  let commands: LetheCommands;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(schema);
    await client.query(`
      insert into customers select i, 'mail-${randomBytes(6).toString('hex')}-' || i from generate_series(1, 10) i;
      insert into orders select 100 + i, 1 + i % 10 from generate_series(1, 40) i;
      insert into orders values (300, 3), (400, 4);
      insert into order_items select 1000 + i, 101 + i % 40, 'note ' || i from generate_series(1, 120) i`);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  /** Every record of a topic, oldest first. */
  async function recordsOf(topic: string): Promise<{ key: string; value: Buffer | null; op?: string }[]> {
    const reader = new CommittedReader(new BrokerConnections(live.project!.config, 'test'));
    const records: { key: string; value: Buffer | null; op?: string }[] = [];
    try {
      for (const { partition } of await reader.ends([topic])) {
        await reader.readAll(topic, partition, ({ key, value, headers }) => {
          records.push({ key: `${partition}/${key}`, value, op: headers.get(header.op) ?? '' });
        });
      }
      return records;
    } finally {
      await reader.close();
    }
  }

  /** A change of items at the source that nobody streams. */
  async function unseen(change: string): Promise<void> {
    const { config, datasets } = live.project!;
    const { published } = datasets.find((dataset) => dataset.table === table)!;
    const alter = `alter publication ${quoteName(publicationName(config))}`;
    await client.query(`${alter} drop table order_items`);
    await client.query(change);
    await client.query(`${alter} add table order_items (${published.map(quoteName).join(', ')})`);
  }

  const parked = async () => {
    const { config, datasets } = live.project!;
    const { parked: all, deadLetters } = await readStatus(config, datasets);
    expect(deadLetters).toEqual([]);
    return all.find((entry) => entry.table === table)!.count;
  };

  it('go at once where they wait for a row of the person; those of others, and of nobody, wait on', async () => {
    const { config } = live.project!;
    // The index remembers whose an order was that is gone.
    await client.query('delete from orders where id in (300, 400)');
    await live.expectEqual();
    await client.query(`
      insert into order_items values (3000, 300, 'theirs'), (3001, 300, 'theirs too'), (4000, 400, 'of another'), (9990, 999, 'of nobody');
      insert into order_items values (3002, 998, 'theirs at the source alone');
      update order_items set note = 'theirs, changed' where id = 3000`);
    await waitUntil(async () => (await parked()) === 6, 60_000, 'the rows to be parked');
    await unseen(`update order_items set order_id = 102 where id = 3002`);
    const clean = await recordsOf(cleanTopic(config, table));

    const args = ['--subject', 'customer:3', '--reason', 'Art. 17', '--request-id', 'waiting'];
    const done = await commands.json<{ steps: { step: string; evidence: Record<string, unknown> }[] }>(
      'erase',
      ...args,
    );
    const evidence = done.steps.find(({ step }) => step === 'topics-compacted')!.evidence;
    expect(evidence).toMatchObject({ waitingSettled: 4, lettersSettled: 0 });
    expect(evidence['sealedValuesCompacted']).toBeGreaterThanOrEqual(4);
    expect(await parked()).toBe(2);

    // Deletes took their place, and of the sealed rows only those that wait are left, also for who reads the topic from its start.
    const before = new Set(clean.map(({ key }) => key));
    const deletes = (await recordsOf(cleanTopic(config, table))).filter(({ key }) => !before.has(key));
    expect(deletes.map(({ op, value }) => ({ op, value }))).toEqual(
      deletes.map(() => ({ op: 'd', value: null })),
    );
    expect(new Set(deletes.map(({ key }) => key)).size).toBe(3);
    expect((await recordsOf(parkedTopic(config, table))).filter(({ value }) => value)).toHaveLength(2);

    const certificate = JSON.parse((await commands.run(['erase', 'certificate', 'waiting'])).out) as {
      certificate: CertificateBody;
    };
    expect(certificate.certificate.notExamined.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        `rows of ${table} that wait for a row which nobody knows`,
        `rows at the source in ${table} whose path leads to no row`,
      ]),
    );
  });

  it('leave nothing of the person’s looked-up rows, not even sealed', async () => {
    const { config } = live.project!;
    const keys = openKeyStore(config);
    const cipher = createLookupCipher(keys, nothingReserved);
    await cipher.load(['public.orders']);
    await keys.close();
    const digests = (ids: readonly number[]) =>
      new Set(ids.map((id) => cipher.digest('public.orders', String(id))));
    // Of customer 3 were the orders whose numbers end in 2, and 300.
    const own = digests([102, 112, 122, 132, 300]);
    const others = digests([101, 103, 140]);
    const records = (await recordsOf(lookupTopic(config, 'public.orders'))).map(({ key, value }) => ({
      digest: key.slice(key.indexOf('/') + 1),
      value,
    }));
    expect(records.filter(({ digest, value }) => own.has(digest) && value)).toEqual([]);
    const left = records.filter(({ digest, value }) => others.has(digest) && value);
    expect(new Set(left.map(({ digest }) => digest))).toEqual(others);
  });

  it('go on when their row comes, in the process that had them before', async () => {
    await client.query('insert into orders values (400, 4)');
    await waitUntil(async () => (await parked()) === 1, 60_000, 'the row of another to be released');
    // Those that the application was left with.
    await client.query(
      'delete from order_items i where not exists (select from orders where id = i.order_id)',
    );
    await waitUntil(async () => (await parked()) === 0, 60_000, 'the rest to go with its row');
    await live.expectEqual();
    const log = readFileSync(live.logs()[0]!, 'utf8');
    expect(log).not.toContain('dead letter');
  });
});
