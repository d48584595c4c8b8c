import kafkajs from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectClient } from '../../connectors/connect/connect-client.ts';
import { connectorName, rawTopic } from '../../schemas/names.ts';
import { openStack, type Stack } from '../../stack/stack.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const rows = 60_000;

const contract = `table: public.notes
owner: test@lethe.example
tier: 1
subject: { type: person, key: person }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  person: { classification: person.id, action: keep }
  body: { classification: content.free-text, action: encrypt }
`;

/**
 * Invariant: a snapshot that is cut short and taken again leaves nothing behind that is no longer at the source. A row that
 * the first one read and that was deleted before the second began is in neither the second nor, were the stream to begin
 * with it, in the stream.
 */
describe('Connect dies by kill -9 in the middle of the initial snapshot', () => {
  let stack: Stack;
  let live: LivePipeline;
  let client: Client;

  beforeAll(async () => {
    const shared = await acquireStack();
    stack = openStack(shared.dir);
    live = await LivePipeline.ofContracts(shared, { 'notes.yaml': contract }, 3);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table notes (id int primary key, person int not null, body text)');
    await client.query(
      `insert into notes select g, g % 500, repeat('note ' || g, 40) from generate_series(1, ${rows}) g`,
    );
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('and what was deleted, changed and inserted meanwhile is so in every store', async () => {
    const { config } = await live.apply();
    const kafka = new kafkajs.Kafka({ brokers: config.kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const read = async () =>
      (await admin.fetchTopicOffsets(rawTopic(config, 'public.notes'))).reduce(
        (sum, { high }) => sum + Number(high),
        0,
      );
    await waitUntil(async () => (await read()) > 5_000, 60_000, 'the snapshot to be under way');
    await stack.kill('connect');
    const before = await read();
    expect(before).toBeLessThan(rows);
    // The first rows of the table are those that the snapshot reads first.
    await client.query('delete from notes where id <= 500');
    await client.query(`update notes set body = 'changed' where id between 501 and 1000`);
    await client.query('update notes set id = id + 1000000 where id between 1001 and 1100');
    await client.query(
      `insert into notes select g, 1, 'new' from generate_series(${rows + 1}, ${rows + 100}) g`,
    );
    await client.query(`update notes set body = body || '.' where id > 10000`);
    await stack.start('connect');
    const connect = new ConnectClient(config.connect);
    // Before it takes another snapshot it streams what it missed; it dies in the middle of that too.
    await waitUntil(async () => (await read()) > before + 5_000, 60_000, 'what was missed to be streamed');
    await stack.kill('connect');
    await client.query('delete from notes where id between 1201 and 1300');
    await stack.start('connect');
    expect(await connect.phase(connectorName(config))).toBe('snapshot');
    await live.ready(live.run());
    await client.query('delete from notes where id between 1101 and 1200');
    const [comparison] = await live.expectEqual();
    expect(comparison!.rows).toBe(rows - 600);
    // Nothing but a second snapshot writes so many records.
    expect(await read()).toBeGreaterThan(before + 5_000 + rows - 1_000);
    await admin.disconnect();
  });
});
