import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { destroyKey } from '../../keys/destroy-key.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { KeyStoreImage } from '../support/key-store-image.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  name: { classification: person.name, action: encrypt }
  turn: { classification: internal, action: keep }
`;

/** Invariant: a running process passes nothing while the key store is older than it was, in which who was erased has a key. */
describe('a key store that is put back under a running process', { timeout: 300_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let instance: Instance;
  const images: KeyStoreImage[] = [];
  const config = () => live.project!.config;
  const take = async (name: string) => {
    const image = await KeyStoreImage.take(live.env['LETHE_KEYS_URL']!, name);
    images.push(image);
    return image;
  };

  /** All records of a person's row in the clean topic, in their order: is it one, or a delete? */
  async function recordsOf(id: number): Promise<boolean[]> {
    const found: boolean[] = [];
    const topics = [cleanTopic(config(), 'public.people')];
    await readTopics(createKafka(config(), 'test'), topics, ({ message: { key, value } }) => {
      if (String(key) === String(id)) found.push(value !== null);
    });
    return found;
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 1);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table people (id int primary key, name text, turn int)');
    await client.query(`insert into people select g, 'Name ' || g, 0 from generate_series(1, 5) g`);
    await live.apply();
    instance = live.run();
    await live.ready(instance);
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    for (const image of images) await image.drop();
    await live?.close();
  });

  it('has nothing pass, of nobody, until what was there is there again', async () => {
    const older = await take('older');
    await destroyKey(config(), { type: 'customer' }, '1');
    await client.query('update people set turn = 1');
    await waitUntil(async () => (await recordsOf(1)).at(-1) === false, 60_000, 'a delete of the person');
    await waitUntil(async () => (await recordsOf(2)).length === 2, 60_000, 'the row of somebody else');
    const newest = await take('newest');
    const before = await recordsOf(1);

    await older.restore();
    await client.query('update people set turn = 2');
    await waitUntil(
      () => readFileSync(instance.logFile, 'utf8').includes('the key store is not what it was'),
      60_000,
      'the process to notice',
    );
    expect(await recordsOf(2)).toHaveLength(2);
    expect(await recordsOf(1)).toEqual(before);

    await newest.restore();
    await waitUntil(async () => (await recordsOf(2)).length === 3, 60_000, 'the row of somebody else');
    await waitUntil(async () => (await recordsOf(1)).length > before.length, 60_000, 'a delete');
    expect((await recordsOf(1)).slice(before.length).every((isRow) => !isRow)).toBe(true);
    expect(instance.child.exitCode).toBe(null);
  });
});
