import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKafka } from '../../pipeline/kafka.ts';
import { signalTable, signalTopic, unavailablePlaceholder } from '../../schemas/names.ts';
import { LetheProject } from '../support/lethe-project.ts';
import { type RawRecord, rawRecords } from '../support/raw-records.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.notes
owner: shop
tier: 1
sinks: []
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  text: { classification: content.free-text, action: keep }
  stars: { classification: internal, action: keep }
`;
/** Long and random enough to lie out of line. */
const longText = `(select string_agg(md5(random()::text), '') from generate_series(1, 300))`;

let project: LetheProject;
const records = async (count: number): Promise<RawRecord[]> =>
  rawRecords(await project.config(), `${project.name}.raw.public.notes`, count);

beforeAll(async () => {
  project = await LetheProject.create(await acquireStack(), {
    schema: `create table notes (id int primary key, text text, stars int); insert into notes values (1, ${longText}, 1)`,
    contracts: { 'notes.yaml': contract },
    partitions: 1,
  });
  expect(await project.lethe('apply')).toMatchObject({ code: 0 });
  await records(1);
});
afterAll(() => project.drop());

const request = { 'data-collections': ['public.notes'], type: 'incremental' };

test('a row in the signal table takes a new snapshot', async () => {
  const config = await project.config();
  await project.sql(`insert into ${signalTable(config)} values ('one', 'execute-snapshot', $1)`, [
    JSON.stringify(request),
  ]);
  expect((await records(2)).map(({ op }) => op)).toEqual(['r', 'r']);
});

test('a record in the signal topic does too', async () => {
  const config = await project.config();
  const producer = createKafka(config, 'test').producer();
  await producer.connect();
  const value = JSON.stringify({ id: 'two', type: 'execute-snapshot', data: request });
  await producer.send({ topic: signalTopic(config), messages: [{ key: `${project.name}.raw`, value }] });
  await producer.disconnect();
  expect((await records(3)).map(({ op }) => op)).toEqual(['r', 'r', 'r']);
});

test('an unchanged long value comes as the placeholder, for the processor to resolve', async () => {
  await project.sql('update notes set stars = 2');
  const text = unavailablePlaceholder(await project.config());
  expect((await records(4)).at(-1)).toMatchObject({ op: 'u', after: { text, stars: 2 } });
});
