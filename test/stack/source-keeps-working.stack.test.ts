import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LetheProject } from '../support/lethe-project.ts';
import { acquireStack } from '../support/stack.ts';

const kinds = ['plain', 'full', 'nothing', 'indexed', 'stored', 'virtual'] as const;

/** Each table has a replica identity or a generated column that does not go with a column list. */
const schema = `
  create table plain (id int primary key, mail text not null, secret text);
  create table "full" (id int primary key, mail text not null, secret text);
  alter table "full" replica identity full;
  create table nothing (id int primary key, mail text not null, secret text);
  alter table nothing replica identity nothing;
  create table indexed (id int primary key, mail text not null, secret text not null);
  create unique index indexed_by on indexed (secret);
  alter table indexed replica identity using index indexed_by;
  create table stored (id int primary key, mail text not null, secret text, lower_mail text generated always as (lower(mail)) stored);
  alter table stored replica identity full;
  create table virtual (id int primary key, mail text not null, secret text, lower_mail text generated always as (lower(mail)) virtual);`;

const contract = (table: string, rest = ''): string => `table: public.${table}
owner: crm
tier: 1
sinks: []
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  mail: { classification: person.contact, action: hash }
  secret: { classification: credential, action: drop }
${rest}`;

let project: LetheProject;

beforeAll(async () => {
  const contracts = Object.fromEntries(kinds.map((table) => [`${table}.yaml`, contract(table)]));
  project = await LetheProject.create(await acquireStack(), { schema, contracts });
});
afterAll(() => project.drop());

/** The application's own statements, every one on every table. */
async function useTables(): Promise<void> {
  for (const table of kinds) {
    await project.sql(`insert into "${table}" (id, mail, secret) values (1, 'a', 'x'), (2, 'b', 'y')`);
    await project.sql(`update "${table}" set mail = 'c', secret = 'z' where id = 1`);
    await project.sql(`update "${table}" set id = 3 where id = 2`);
    await project.sql(`delete from "${table}"`);
  }
}

test('while a long transaction holds a table, apply waits and the application does not', async () => {
  const holder = new Client({ connectionString: project.source.url });
  await holder.connect();
  await holder.query('begin');
  await holder.query('select * from "full"');
  const apply = project.lethe('apply');
  try {
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and query ilike 'alter table%replica identity%' and wait_event_type = 'Lock'`;
    const deadline = Date.now() + 120_000;
    while ((await project.sql(waiting)).rowCount === 0) {
      expect(Date.now()).toBeLessThan(deadline);
      await pause(20);
    }
    // The statement that waits for the table stands in everybody's way: it must step aside.
    await project.sql(`set statement_timeout = '2s'; insert into "full" (id, mail) values (9, 'q')`);
    await project.sql(`set statement_timeout = '2s'; delete from "full" where id = 9`);
  } finally {
    await holder.query('commit');
    await holder.end();
  }
  const { code, stderr } = await apply;
  expect({ code, stderr }).toMatchObject({ code: 0 });
});

test("the application's own UPDATE and DELETE work with every replica identity there was", async () => {
  await useTables();
  const { rows } = await project.sql(
    `select distinct relreplident as identity from pg_class where relname = any($1)`,
    [[...kinds]],
  );
  expect(rows).toEqual([{ identity: 'd' }]);
});

test('a replica identity that changes later is put right', async () => {
  await project.sql(`alter table plain replica identity full`);
  await expect(
    project.sql(`insert into plain values (1, 'a', 'x'); update plain set mail = 'b'`),
  ).rejects.toThrow();
  expect((await project.lethe('apply')).code).toBe(0);
  await project.sql(`delete from plain`);
  await useTables();
});

test('a stored generated column can be passed on, a virtual one is refused', async () => {
  const passed = '  lower_mail: { classification: person.contact, action: hash }\n';
  await project.writeContract('stored.yaml', contract('stored', passed));
  expect((await project.lethe('apply')).code).toBe(0);
  await useTables();
  await project.writeContract('virtual.yaml', contract('virtual', passed));
  const { code, stderr } = await project.lethe('apply');
  expect(code).toBe(1);
  expect(stderr).toContain('contracts/virtual.yaml:10 columns.lower_mail.action');
  await project.writeContract('virtual.yaml', contract('virtual'));
});

test("where another publication would break the application's UPDATE, the change is refused", async () => {
  await project.sql(`
    create table shared (id int primary key, mail text not null, secret text not null);
    create unique index shared_by on shared (secret);
    alter table shared replica identity using index shared_by;
    create publication somebody_elses for table shared (mail, secret);`);
  await project.writeContract('shared.yaml', contract('shared'));
  const { code, stderr } = await project.lethe('apply');
  expect(code).toBe(1);
  expect(stderr).toContain('the publication somebody_elses');
  await project.sql(
    `insert into shared values (1, 'a', 'x'); update shared set mail = 'b'; delete from shared`,
  );
});
