import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConnectClient } from '../../connectors/connect/connect-client.ts';
import { connectorName, publicationName } from '../../schemas/names.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const limitMs = 120_000;
const contract = `table: public.notes
owner: shop
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  word: { classification: internal, action: keep }
`;

let live: LivePipeline;
let client: Client;
let instance: Instance;

beforeAll(async () => {
  live = await LivePipeline.ofContracts(await acquireStack(), { 'notes.yaml': contract }, 1);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query(
    `create table notes (id int primary key, word text); insert into notes values (1, 'one')`,
  );
  await live.apply();
  instance = live.run();
  await live.ready(instance);
  await live.expectEqual();
});

afterAll(async () => {
  await client?.end();
  await live?.close();
});

/** Kafka Connect leaves it so for ever; what made it fail here is an operator's mistake that is taken back. */
it('a task that failed goes on by itself once its cause is gone, and nothing is missing', async () => {
  const { config } = live.project!;
  const name = connectorName(config);
  const connect = new ConnectClient(config.connect);
  const isIn = async (state: string): Promise<boolean> =>
    (await connect.status(name))?.tasks.map((task) => task.state).join() === state;
  // Stopped first: a heartbeat that is written while there is no publication can be decoded by nobody, ever.
  await put(config.connect.url, `/connectors/${name}/stop`);
  await waitUntil(() => isIn(''), limitMs, 'the task to stop');
  const publication = publicationName(config);
  await client.query(`drop publication ${publication}`);
  await put(config.connect.url, `/connectors/${name}/resume`);
  await waitUntil(() => isIn('FAILED'), limitMs, 'the task to fail');
  await client.query(`create publication ${publication} for table notes (id, word)`);
  await client.query(`insert into notes values (2, 'two')`);
  await waitUntil(() => isIn('RUNNING'), limitMs, 'the task to run');
  expect(readFileSync(instance.logFile, 'utf8')).toContain('a task of the connector failed; it is restarted');
  await client.query(`update notes set word = 'uno' where id = 1`);
  const found = await live.expectEqual();
  expect(found.map(({ places }) => places.map(({ counts }) => counts.equal))).toEqual([[2, 2, 2]]);
});

async function put(url: string, path: string): Promise<void> {
  expect((await fetch(url + path, { method: 'PUT' })).ok).toBe(true);
}
