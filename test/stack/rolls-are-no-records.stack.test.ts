import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import { rollSegments } from '../../pipeline/segment-roll.ts';
import { cleanTopic, deadLetterTopic, rollTransactionalId } from '../../schemas/names.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { contract, table } from '../support/rebuilt-people.ts';
import { acquireStack } from '../support/stack.ts';

let live: LivePipeline;
let client: Client;
let connections: BrokerConnections;
let reader: CommittedReader;

beforeAll(async () => {
  live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 2);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query('create table people (id int primary key, stays text, n int, name text)');
  await client.query("insert into people select i, 'x', i, 'name ' || i from generate_series(1, 200) i");
  const { config } = await live.apply();
  await live.ready(live.run());
  connections = new BrokerConnections(config, 'test');
  reader = new CommittedReader(connections);
});

afterAll(async () => {
  await reader?.close();
  await client?.end();
  await live?.close();
});

it('closes segments of a live pipeline without a record that a sink, a reader or the oracle would see', async () => {
  const { config, datasets } = live.project!;
  const [topic, letters] = [cleanTopic(config, table), deadLetterTopic(config, table)];
  await live.expectEqual();
  const roll = async (own: string): Promise<bigint> => {
    const before = await reader.ends([own]);
    await rollSegments(connections, rollTransactionalId(config, own), before);
    let grown = 0n;
    const isThere = async (): Promise<boolean> => {
      const after = await reader.ends([own]);
      grown = after.reduce((sum, { next }, i) => sum + next - before[i]!.next, 0n);
      return grown >= BigInt(before.length);
    };
    await waitUntil(isThere, 10_000, 'control batches');
    return grown;
  };
  const recordsOf = async (own: string): Promise<number> => {
    let count = 0;
    for (const { partition } of await reader.ends([own]))
      await reader.readAll(own, partition, () => void count++);
    return count;
  };
  const records = await recordsOf(topic);
  // Between, behind and before what the transform writes.
  for (let i = 0; i < 5; i++) {
    await client.query('update people set n = n + 1 where id % 5 = $1', [i]);
    await roll(topic);
    await client.query('delete from people where id = $1', [i + 1]);
  }
  await live.expectEqual();
  const quiet = await recordsOf(topic);
  expect(quiet).toBeGreaterThan(records);
  // A control batch has one offset in each partition, and nothing stands there.
  expect(await roll(topic)).toBe(2n);
  expect(await recordsOf(topic)).toBe(quiet);
  expect(await roll(letters)).toBe(1n);
  await live.expectEqual();
  const { deadLetters } = await readStatus(config, datasets);
  expect(deadLetters).toEqual([]);
  expect(await recordsOf(letters)).toBe(0);
});
