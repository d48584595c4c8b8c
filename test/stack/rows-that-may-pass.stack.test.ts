import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic, indexAlias } from '../../schemas/names.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { type Instance, LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.leads
owner: test@lethe.example
tier: 1
subject: { type: customer, key: id }
where:
  - { column: status, in: [active, trial] }
  - { column: country, notIn: [XX] }
  - { column: deleted_on, is: empty }
consent: { purpose: marketing, column: opted_in, granted: ['true'] }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  status: { classification: internal, action: drop }
  country: { classification: location, action: keep, sinks: [clickhouse] }
  deleted_on: { classification: internal, action: drop }
  opted_in: { classification: internal, action: drop }
  email: { classification: person.contact, action: encrypt }
  city: { classification: location, action: keep, searchable: false }
  place: { classification: location, action: paths, paths: { street: { action: keep } } }
`;

const long = 'trial '.repeat(2_000);

describe('rows that may not pass', () => {
  let live: LivePipeline;
  let client: Client;
  let instance: Instance;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'leads.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(
      `create type place as (street text);
       create table leads (id int primary key, status text, country text, deleted_on date, opted_in boolean, email text, city text, place place)`,
    );
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  const insert = (id: number, ...values: (string | boolean | null)[]) =>
    client.query('insert into leads values ($1, $2, $3, $4, $5, $6, $7)', [
      id,
      ...values,
      `${id}@mail.example`,
      'Berlin',
    ]);

  async function expectRows(count: number): Promise<void> {
    const [comparison] = await live.expectEqual();
    expect(comparison!.rows).toBe(count);
  }

  it('stay away, are taken back when a condition turns, and return when it turns again', async () => {
    await insert(1, 'active', 'DE', null, true);
    await insert(2, 'closed', 'DE', null, true);
    await insert(3, 'trial', 'XX', null, true);
    await insert(4, 'trial', null, null, true);
    await insert(5, null, 'DE', null, true);
    await insert(6, 'active', 'FR', '2026-01-01', true);
    await insert(7, 'active', 'FR', null, false);
    await insert(8, 'active', 'FR', null, null);
    await insert(9, long, 'FR', null, true);
    const { config } = await live.apply();
    instance = live.run();
    await live.ready(instance);
    await expectRows(1);
    await insert(10, 'trial', 'PL', null, true);
    await insert(11, 'trial', 'PL', null, null);
    await client.query('update leads set opted_in = true where id in (7, 8)');
    await client.query('update leads set opted_in = null where id = 1');
    await client.query(`update leads set city = 'Köln' where id = 9`);
    await expectRows(3);
    await client.query(`update leads set status = 'active' where id in (2, 9)`);
    await client.query('update leads set opted_in = true where id = 1');
    await client.query('delete from leads where id = 10');
    await expectRows(5);
    // Stored and not searchable; kept from Elasticsearch altogether: the oracle has seen that the stores hold just that.
    const elasticsearch = createElasticsearchClient(config.elasticsearch!);
    const index = indexAlias(config, 'public.leads');
    const all = await elasticsearch.search({ index, query: { match_all: {} } });
    expect(all.hits.hits.map(({ _source }) => Object.keys(_source as object).toSorted())).toContainEqual([
      '_lethe',
      'city',
      'email',
      'id',
      'place',
    ]);
    await expect(elasticsearch.search({ index, query: { term: { city: 'Berlin' } } })).rejects.toMatchObject({
      statusCode: 400,
    });
    await elasticsearch.close();
  });

  it('cost no key: nobody who may not pass has one in the key store', async () => {
    const keys = new Client({ connectionString: live.env['LETHE_KEYS_URL']! });
    await keys.connect();
    const { rows } = await keys.query<{ n: number }>(
      `select count(*)::int as n from lethe_keys.subjects where subject_type = 'customer'`,
    );
    // Those of the rows 1, 2, 7, 8, 9 and 10, which passed at some time.
    expect(rows[0]!.n).toBe(6);
    await keys.end();
  });

  it('do not pass under an older change either, though its values are read when they are there no more', async () => {
    instance.child.kill();
    await instance.ended;
    const place = (street: string) =>
      client.query('update leads set place = row($1)::place where id in (12, 13)', [street]);
    await insert(12, 'active', 'DE', null, true);
    await insert(13, 'active', 'DE', null, true);
    await place('seen');
    await client.query('update leads set opted_in = false where id = 12');
    await place('unseen');
    await client.query(`update leads set place = row('seen again')::place, status = 'trial' where id = 13`);
    await live.ready(live.run());
    await expectRows(6);
    const { config } = live.project!;
    const values: string[] = [];
    await readTopics(createKafka(config, 'test'), [cleanTopic(config, 'public.leads')], ({ message }) =>
      values.push(String(message.value)),
    );
    expect(values.join()).toContain('seen again');
    expect(values.join()).not.toContain('unseen');
  });
});
