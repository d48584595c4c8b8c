import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic, signalTable, signalTopic } from '../../schemas/names.ts';
import { header } from '../../schemas/record-headers.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

/** A column that never leaves Postgres stands before one that is kept, and that before one that is protected. */
const contract = `table: public.people
owner: o
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  secret: { classification: person.contact, action: drop }
  nick: { classification: internal, action: keep }
  email: { classification: person.contact, action: mask, keepEnd: 2 }
  city: { classification: location, action: mask, keepStart: 1 }
`;
const canary = 'zq7.canary@columns.example';

/**
 * Invariant: a streamed value is the one of its own column, whatever was read again in between. pgoutput sends the values of the published
 * columns without their names, and Debezium numbers them by the columns that it knows of the table: it must know no others.
 */
describe('values that are streamed after', () => {
  let live: LivePipeline;
  let client: Client;
  const config = () => live.project!.config;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(
      'create table people (id int primary key, secret text, nick text, email text, city text)',
    );
    await client.query(
      `insert into people select g, 'Secret ' || g, 'nick' || g, 'person' || g || '@example.com', 'City' from generate_series(1, 20) g`,
    );
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual(60_000);
    // From here on Debezium knows the table by what was streamed.
    await client.query(`update people set nick = 'streamed' where id = 1`);
    await live.expectEqual(60_000);
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  async function reads(): Promise<number> {
    let found = 0;
    await readTopics(
      createKafka(config(), 'test'),
      [cleanTopic(config(), 'public.people')],
      ({ message }) => {
        if (String(message.headers?.[header.op]) === 'r') found++;
        expect(String(message.value)).not.toContain('canary');
      },
    );
    return found;
  }

  async function readAgain(signal: () => Promise<unknown>): Promise<void> {
    const before = await reads();
    await signal();
    await waitUntil(async () => (await reads()) >= before + 20, 60_000, 'all rows to be read again');
  }

  const snapshot = (type: string) => ({ 'data-collections': ['public.people'], type });
  const bySource = (type: string) => () =>
    client.query(`insert into ${signalTable(config())} values ($1, 'execute-snapshot', $2)`, [
      randomUUID(),
      JSON.stringify(snapshot(type)),
    ]);
  async function byKafka(): Promise<void> {
    const producer = createKafka(config(), 'test').producer();
    await producer.connect();
    const value = JSON.stringify({
      id: randomUUID(),
      type: 'execute-snapshot',
      data: snapshot('incremental'),
    });
    await producer.send({
      topic: signalTopic(config()),
      messages: [{ key: `${config().topics.prefix}raw`, value }],
    });
    await producer.disconnect();
  }

  it.each([
    ['an incremental snapshot', 2, bySource('incremental')],
    ['one that is asked for by Kafka', 3, byKafka],
    ['a blocking snapshot', 4, bySource('blocking')],
  ] as const)('%s', async (_, id, signal) => {
    await readAgain(signal);
    await client.query(`update people set email = $2, nick = 'after' where id = $1`, [id, canary]);
    await client.query(`insert into people values ($1, 'Secret', 'new', $2, 'Town')`, [100 + id, canary]);
    await live.expectEqual(60_000);
    await reads();
  });

  it('a column that joins, or one that is dropped before others', async () => {
    await client.query('alter table people add column phone text');
    await client.query(`update people set phone = 'before', email = $1 where id = 5`, [canary]);
    await live.expectEqual(60_000);
    await reads();
    // Dropped from the middle, it moves all that follow.
    await client.query('alter table people drop column secret');
    await readAgain(bySource('incremental'));
    await client.query(`update people set nick = 'moved', email = $1 where id = 6`, [canary]);
    await reads();
    await waitUntil(
      async () => {
        let seen = false;
        await readTopics(
          createKafka(config(), 'test'),
          [cleanTopic(config(), 'public.people')],
          ({ message }) => {
            seen ||= String(message.key) === '6' && String(message.value).includes('moved');
          },
        );
        return seen;
      },
      60_000,
      'the change to arrive',
    );
  });
});
