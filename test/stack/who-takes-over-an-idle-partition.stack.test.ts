import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitForPurge } from '../../cli/wait-for-purge.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { cleanTopic, rawTopic } from '../../schemas/names.ts';
import { openStack } from '../../stack/stack.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

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
let logDir: string;

beforeAll(async () => {
  const stack = await acquireStack();
  logDir = join(openStack(stack.dir).partDir('kafka').data, 'logs');
  live = await LivePipeline.ofContracts(stack, { 'notes.yaml': contract }, 2);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query(`
    create table notes (id int primary key, word text);
    insert into notes select i, 'word ' || i from generate_series(1, 20) i`);
  await live.apply();
  const instance = live.run();
  await live.ready(instance);
  await live.expectEqual();
  instance.child.kill('SIGKILL');
  await instance.ended;
});

afterAll(async () => {
  await client?.end();
  await live?.close();
});

/** Raw rows must not lie on the broker's disk because nothing more comes: they are in the clear there. */
it('what whoever died had read and not purged', async () => {
  const instance = live.run();
  try {
    await live.ready(instance);
    const topics = [rawTopic(live.project!.config, 'public.notes')];
    expect(await waitForPurge(logDir, topics, 120_000, AbortSignal.timeout(130_000))).toBe(true);
  } finally {
    instance.child.kill('SIGKILL');
    await instance.ended;
  }
});

/**
 * What was begun and given up leaves records that nobody may see, and a marker. Whoever read the partition before may die just then: who takes
 * it over gets nothing of it, and still must say that it is read to its end, or readers would wait for ever.
 */
it.each(['raw', 'clean'] as const)('the end of a %s partition to which nothing else comes', async (kind) => {
  const { config, datasets } = live.project!;
  const topic = (kind === 'raw' ? rawTopic : cleanTopic)(config, 'public.notes');
  const kafka = createKafka(config, 'test');
  const producer = kafka.producer({
    transactionalId: `${topic}-given-up`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  try {
    const transaction = await producer.transaction();
    for (const partition of [0, 1]) {
      await transaction.send({ topic, messages: [{ key: 'nobody', value: 'nothing', partition }] });
    }
    await transaction.abort();
  } finally {
    await producer.disconnect();
  }
  const instance = live.run();
  try {
    await live.ready(instance);
    await waitForSinks(config, datasets, { signal: AbortSignal.timeout(60_000) });
  } finally {
    instance.child.kill('SIGKILL');
    await instance.ended;
  }
  await live.expectEqual();
});
