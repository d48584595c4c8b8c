import { afterAll, beforeAll, expect, test } from 'vitest';
import { LetheProject } from '../support/lethe-project.ts';
import { rawBytes, rawRecords } from '../support/raw-records.ts';
import { acquireStack } from '../support/stack.ts';

const canary = 'canary-9f3b-dropped';
const passed = 'canary-9f3b-passed';

/** `public."People"` differs from a contract's table by case alone, which Debezium's own filters ignore. */
const schema = `
  create type mood as enum ('good', '${canary}-label');
  create table people (
    id int primary key, name text, ssn text default '${canary}-default', unlisted text, blank text,
    status text default 'active', city text not null default '${canary}-city', feeling mood default '${canary}-label');
  create table "People" (id int primary key, name text);
  create table strangers (id int primary key, name text);
  insert into people values (1, '${passed}', '${canary}', '${canary}', '${canary}', null, 'x', null);
  insert into "People" values (1, '${canary}');
  insert into strangers values (1, '${canary}');`;

const people = `table: public.people
owner: crm
tier: 1
sinks: []
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  name: { classification: person.name, action: keep }
  ssn: { classification: person.national-id, action: drop }
  blank: { classification: content.free-text, action: 'null' }
  status: { classification: internal, action: keep }
  city: { classification: internal, action: keep }
  feeling: { classification: internal, action: keep }
`;

let project: LetheProject;
let topic: string;

beforeAll(async () => {
  project = await LetheProject.create(await acquireStack(), { schema, contracts: { 'people.yaml': people } });
  topic = `${project.name}.raw.public.people`;
  expect(await project.lethe('apply')).toMatchObject({ code: 0 });
  await rawRecords(await project.config(), topic, 1);
  await project.sql(
    `insert into people values (2, '${passed}', '${canary}', '${canary}', '${canary}', null, 'x', null)`,
  );
  await project.sql(
    `update people set ssn = '${canary}-2', unlisted = '${canary}-2', name = '${passed}' where id = 1`,
  );
  await project.sql(`update people set id = 3 where id = 2`);
  await project.sql(`delete from people where id = 1`);
  await project.sql(
    `insert into "People" values (2, '${canary}'); insert into strangers values (2, '${canary}')`,
  );
});
afterAll(() => project.drop());

test('neither the snapshot nor the stream holds a dropped, an unlisted or a nulled column', async () => {
  const config = await project.config();
  const records = await rawRecords(config, topic, 6);
  expect(records.map(({ op }) => op).sort()).toEqual(['c', 'c', 'd', 'd', 'r', 'u']);
  for (const { after } of records) {
    if (after) expect(Object.keys(after)).toEqual(['id', 'name', 'status', 'city', 'feeling']);
  }
  const bytes = await rawBytes(config, topic);
  expect(bytes.some((value) => value.includes(passed))).toBe(true);
  expect(bytes.some((value) => value.includes(canary))).toBe(false);
});

test('a table that differs by case, or has no contract, has no topic', async () => {
  const topics = (await project.traces()).filter((trace) => /^topic .*\.raw\./.test(trace)).sort();
  expect(topics).toEqual([
    `topic ${project.name}.raw.lethe.heartbeat_${project.name}`,
    `topic ${project.name}.raw.lethe.signal_${project.name}`,
    `topic ${topic}`,
  ]);
});

test('NULL in a column with a default stays NULL', async () => {
  const records = await rawRecords(await project.config(), topic, 6);
  const rows = records.flatMap(({ after }) => (after ? [after] : []));
  expect(rows.map(({ status, feeling }) => [status, feeling])).toEqual(rows.map(() => [null, null]));
});

test('the old row of a delete or an update is not passed on', async () => {
  const records = await rawRecords(await project.config(), topic, 6);
  expect(records.map(({ before }) => before)).toEqual(records.map(() => null));
});

test('no registered schema holds a default or an enum label of the source', async () => {
  const { url } = project.endpoints.registry;
  const subjects = ((await (await fetch(`${url}/subjects`)).json()) as string[]).filter((subject) =>
    subject.includes(`${project.name}.`),
  );
  expect(subjects).toContain(`${topic}-value`);
  for (const subject of subjects) {
    const versions = (await (await fetch(`${url}/subjects/${subject}/versions`)).json()) as number[];
    for (const version of versions) {
      const text = await (await fetch(`${url}/subjects/${subject}/versions/${version}`)).text();
      expect(text).not.toContain(canary);
    }
  }
});
