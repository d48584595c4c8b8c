import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exported, LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const customers = `table: public.customers
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete, starts: true }
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
  handle: { classification: person.contact, action: hash }
`;
const orders = `table: public.orders
owner: o
tier: 1
subject: { type: customer, key: customer_id }
sinks: [clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  note: { classification: content.free-text, action: encrypt }
`;

interface Request {
  readonly request: string;
  readonly state: string;
}

describe('a person with two ids', { timeout: 600_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let keys: Client;
  let commands: LetheCommands;

  const link = (one: number, other: number) =>
    commands.json('link', '--subject', `customer:${one}`, '--with', `customer:${other}`);
  const states = async (name: string) => {
    const { requests } = await commands.json<{ requests: Request[] }>('erase', 'list');
    return requests
      .filter(({ request }) => request.startsWith(name))
      .map(({ request, state }) => `${request} ${state}`)
      .sort();
  };
  const count = async (query: string) => Number((await keys.query<{ n: string }>(query)).rows[0]!.n);

  beforeAll(async () => {
    const contracts = { 'customers.yaml': customers, 'orders.yaml': orders };
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`
      create table customers (id int primary key, email text, handle text);
      create table orders (id int primary key, customer_id int not null references customers on update cascade, note text);
      create index on orders (customer_id);
      insert into customers select g, 'm' || g || '@mail.example', 'h' || g from generate_series(1, 20) g;
      insert into orders select g, 1 + g % 20, 'note ' || g from generate_series(1, 60) g`);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
    keys = new Client({ connectionString: live.env['LETHE_KEYS_URL']! });
    await keys.connect();
  }, 300_000);
  afterAll(async () => {
    await keys?.end();
    await client?.end();
    await live?.close();
  });

  it('who got another id has one key under both: values stay readable and pseudonyms the same', async () => {
    const before = await commands.exported(1);
    expect(await link(1, 801)).toEqual({ subjectType: 'customer', ids: 2, sharesKey: true });
    // Debezium tells of it as a delete and an insert, and a delete of the person's own row would start an erasure.
    await client.query('update customers set id = 801 where id = 1');
    await live.expectEqual();
    const after = await commands.exported(801);
    expect(after).toMatchObject({ otherIds: ['1'] });
    const handles = ({ tables }: Exported) => tables[0]!.stores.clickhouse.map((row) => row['handle']);
    expect(handles(after)).toEqual(handles(before));
    expect(after.tables[0]!.stores.clickhouse).toMatchObject([{ id: 801, email: 'm1@mail.example' }]);
    expect(after.tables[1]!.source).toHaveLength(3);
    expect(after.tables[1]!.stores.clickhouse.map((row) => row['note'])).toEqual(
      expect.arrayContaining(['note 20', 'note 40', 'note 60']),
    );
    expect(await states('')).toEqual([]);
    const undone = await commands.run(['link', '--subject', 'customer:1', '--undo']);
    expect(undone).toMatchObject({ code: 1 });
    expect(undone.err).toContain('both ids are under one key');
  });

  it('who had two all along has both keys, and it can be taken back', async () => {
    expect(await link(2, 3)).toMatchObject({ ids: 2, sharesKey: false });
    expect(await link(3, 4)).toMatchObject({ ids: 3, sharesKey: false });
    expect((await commands.exported(4)).tables[0]!.source).toHaveLength(3);
    expect((await commands.run(['link', '--subject', 'customer:3', '--undo'])).code).toBe(0);
    const { tables } = await commands.exported(4);
    expect(tables[0]!.source.map((row) => String(row['id'])).sort()).toEqual(['2', '4']);
    expect((await commands.run(['link', '--subject', 'customer:3', '--undo'])).code).toBe(1);
    expect((await commands.run(['link', '--subject', 'customer:3', '--with', 'customer:3'])).code).toBe(1);
    expect((await commands.run(['link', '--subject', 'customer:3'])).code).toBe(1);
  });

  it('a hold on one id is one on the person, and taking back one request takes back all', async () => {
    expect((await commands.run(['erase', 'hold', '--subject', 'customer:2', '--basis', 'a case'])).code).toBe(
      0,
    );
    const erase = ['erase', '--subject', 'customer:4', '--reason', 'Art. 17', '--request-id', 'r-1'];
    expect((await commands.run([...erase, '--dry-run'])).out).toMatch(/public\.customers\s+2 /);
    expect((await commands.run(erase)).code).toBe(1);
    expect(await states('r-1')).toEqual(['r-1 needs-person', 'r-1.2 needs-person']);
    expect(await link(4, 9).catch((error: unknown) => String(error))).toContain('is under way');
    expect((await commands.run(['erase', 'cancel', 'r-1.2'])).code).toBe(0);
    expect(await states('r-1')).toEqual(['r-1 cancelled', 'r-1.2 cancelled']);
    expect((await commands.run(['erase', 'release', '--subject', 'customer:2'])).code).toBe(0);
  });

  it('a request for one erases both, and what linked them', async () => {
    const file = join(live.folder, 'requests.csv');
    // The third line is the other id of the first.
    const lines = [
      'subject_type,subject_id,request_id',
      'customer,4,r-2',
      'customer,801,r-3',
      'customer,2,r-4',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    expect((await commands.run(['erase', 'batch', file, '--reason', 'Art. 17'])).code).toBe(0);
    expect(await states('r-2')).toEqual(['r-2 done']);
    expect(await states('r-3')).toEqual(['r-3 done', 'r-3.2 done']);
    expect(await states('r-4')).toEqual(['r-4 done']);
    const { rows } = await client.query<{ ids: string }>(
      `select string_agg(id::text, ',' order by id) as ids from customers where id in (2, 3, 4, 801)`,
    );
    expect(rows[0]!.ids).toBe('3');
    expect(await count('select count(*) as n from lethe_keys.linked')).toBe(0);
    expect(
      await count(`select count(*) as n from lethe_keys.data_keys join lethe_keys.subjects using (key_id)
                    where subject_type = 'lethe-linked' and wrapped is not null`),
    ).toBe(0);
    expect(await link(5, 801).catch((error: unknown) => String(error))).toContain('suppressed');
    await live.expectEqual();
    for (const certificate of ['r-2', 'r-3', 'r-3.2', 'r-4']) {
      const { code, out } = await commands.run(['erase', 'certificate', certificate]);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ certificate: { request: certificate } });
    }
  });
});
