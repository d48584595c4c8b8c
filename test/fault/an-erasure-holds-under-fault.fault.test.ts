import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { PART_NAMES } from '../../stack/part-name.ts';
import { Stack } from '../../stack/stack.ts';
import type { Canary } from '../../verify/canary.ts';
import { pipelinePlaces } from '../../verify/places/pipeline-places.ts';
import { scanForCanaries } from '../../verify/scan.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
  id: { classification: person.id, action: keep }
  name: { classification: person.name, action: encrypt }
  note: { classification: internal, action: keep }
`;
const person = '7';
let live: LivePipeline;
let client: Client;

/** Notes of the person's records in the clean topic, deletes left out. */
async function notes(): Promise<string[]> {
  const found: string[] = [];
  const topic = cleanTopic(live.project!.config, 'public.people');
  await readTopics(createKafka(live.project!.config, 'test'), [topic], ({ message }) => {
    if (String(message.key) === person && message.value) found.push(message.value.toString('latin1'));
  });
  return found;
}

beforeAll(async () => {
  live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 1);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query('create table people (id int primary key, name text, note text)');
  await client.query(`insert into people select g, 'n' || g, 'note ' || g from generate_series(1, 20) g`);
  await live.apply();
  await live.ready(live.run(['--only', 'clickhouse']));
}, 300_000);
afterAll(async () => {
  await client?.end();
  await live?.close();
});

it('what a process that sleeps had in hand of a person is never committed', {
  timeout: 300_000,
}, async () => {
  const preload = join(packageRoot(), 'test', 'fault', 'harness', 'fault-points.mjs');
  const first = live.run(['--only', 'transform']);
  await live.ready(first);
  await live.expectEqual();
  first.child.kill('SIGTERM');
  await first.ended;
  // It sleeps with its first batch, keys and all, in its hands.
  const zombie = live.run(['--only', 'transform'], { LETHE_FREEZE: 'before-send:1' }, preload);
  await live.ready(zombie);
  await client.query(`update people set note = 'in the hands of a sleeper' where id = ${person}`);
  const state = () => /\) (\w)/.exec(readFileSync(`/proc/${zombie.child.pid}/stat`, 'utf8'))?.[1];
  await waitUntil(() => state() === 'T', 60_000, 'the process to sleep');
  await live.ready(live.run(['--only', 'transform']));
  const commands = new LetheCommands(live);
  const erased = await commands.run(['erase', '--subject', `customer:${person}`, '--reason', 'r', '--json']);
  expect(erased.code, erased.err).toBe(0);
  expect(await notes()).toEqual([]);
  zombie.child.kill('SIGCONT');
  await waitUntil(
    () => /fenced|joined the group/i.test(readFileSync(zombie.logFile, 'utf8').split('"running"').at(-1)!),
    120_000,
    'the sleeper to notice',
  );
  await live.expectEqual();
  expect(await notes()).toEqual([]);
});

it('who was forgotten stays so when every server was killed, and the row is put back', {
  timeout: 600_000,
}, async () => {
  const name = `name-${randomBytes(12).toString('hex')}`;
  const note = `note-${randomBytes(12).toString('hex')}`;
  const put = () => client.query('insert into people values (70, $1, $2)', [name, note]);
  await put();
  await live.expectEqual();
  const commands = new LetheCommands(live);
  const erased = await commands.run(['erase', '--subject', 'customer:70', '--reason', 'r', '--json']);
  expect(erased.code, erased.err).toBe(0);
  await client.end();
  const { dir } = await acquireStack();
  const stack = new Stack(dir);
  for (const part of PART_NAMES) {
    await stack.kill(part);
    await stack.start(part);
  }
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await put();
  await live.expectEqual();
  const canaries: Canary[] = [name, note].map((text) => ({
    table: 'person',
    column: 'value',
    action: 'encrypt',
    bytes: [Buffer.from(text)],
  }));
  const { config, contracts } = live.project!;
  const places = pipelinePlaces(
    config,
    contracts.map((loaded) => loaded.contract),
    { logs: live.logs() },
  );
  const found = async () => {
    const reports = await scanForCanaries({ places, canaries });
    return reports.reduce((sum, report) => sum + report.found, 0);
  };
  // The raw record of the row that was put back leaves the disk with its segment.
  await waitUntil(async () => (await found()) === 0, 180_000, 'nothing of the person anywhere');
});
