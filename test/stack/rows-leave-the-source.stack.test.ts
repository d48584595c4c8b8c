import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eraseSourceRows, sourceObstaclesOf } from '../../connectors/postgres/erase-rows.ts';
import { planSourceErasure } from '../../connectors/postgres/source-erasure-plan.ts';
import { sourceRowsOf, type SubjectRow } from '../../connectors/postgres/subject-rows.ts';
import { type ErasedTable, ErasureWorld } from '../support/erasure-world.ts';
import { OwnPostgres } from '../support/own-postgres.ts';

const gone = 'source: delete';
const impatient = { lockTimeoutMs: 100, attempts: 3, pauseMs: 10 };

/** Customers, orders, and items that are found by their order; messages keep their row; calls are in no contract. */
const shop = `
  create table customers (id bigint primary key, email text not null);
  create table orders (id bigint primary key, customer_id bigint not null references customers);
  create table order_items (order_id bigint references orders, line int, note text, primary key (order_id, line));
  create table messages (tenant text, nr int, customer_id bigint, body text, sender text, primary key (tenant, nr));
  create table calls (id int primary key, customer_id bigint references customers);
  create index on orders (customer_id); create index on messages (customer_id); create index on calls (customer_id);
  insert into customers select n, 'c' || n from generate_series(1, 3) n;
  insert into orders select n, 1 + n % 3 from generate_series(0, 8) n;
  insert into order_items select n, line, 'x' from generate_series(0, 8) n, generate_series(1, 2) line;
  insert into messages select 'a|b', n, 1 + n % 3, 'hello', case when n > 2 then 'me' end from generate_series(0, 5) n`;
const shopTables: readonly ErasedTable[] = [
  { table: 'public.customers', subject: 'key: id', erasure: gone },
  { table: 'public.orders', subject: 'key: customer_id', erasure: gone },
  { table: 'public.order_items', subject: 'path: [order_id, public.orders.customer_id]', erasure: gone },
  {
    table: 'public.messages',
    subject: 'key: customer_id',
    erasure: "source: 'null', columns: [body, sender]",
  },
];

let server: OwnPostgres;

beforeAll(async () => {
  server = await OwnPostgres.create();
  await server.start({ log_statement: 'all', logging_collector: 'on' });
});

afterAll(() => server.drop());

const create = (schema: string, tables: readonly ErasedTable[]) =>
  ErasureWorld.create(server, schema, tables);

/** Plans and erases; the error, if it fails. */
async function erase(world: ErasureWorld, id: string): Promise<unknown> {
  const plan = await world.plan();
  try {
    return await world.use((client) => eraseSourceRows(client, plan, id, impatient));
  } catch (error) {
    return error;
  }
}

const counts = (world: ErasureWorld) =>
  world.sql(`select (select count(*)::int from customers) as customers, (select count(*)::int from orders) as orders,
    (select count(*)::int from order_items) as items, (select count(body)::int from messages) as bodies`);
const whole = [{ customers: 3, orders: 9, items: 18, bodies: 6 }];

describe("a person's rows at the source", () => {
  it('go children first, or lose what is personal; a second time there is nothing left', async () => {
    const world = await create(shop, shopTables);
    const plan = await world.plan();
    expect(plan.steps.map(({ table, action }) => `${action} ${table}`)).toEqual([
      'delete public.order_items',
      'delete public.orders',
      'delete public.customers',
      'null public.messages',
    ]);
    expect(await erase(world, '2')).toEqual([
      { table: 'public.order_items', action: 'delete', rows: 6 },
      { table: 'public.orders', action: 'delete', rows: 3 },
      { table: 'public.customers', action: 'delete', rows: 1 },
      { table: 'public.messages', action: 'null', rows: 2 },
    ]);
    expect(await counts(world)).toEqual([{ customers: 2, orders: 6, items: 12, bodies: 4 }]);
    expect(await world.column('select id::int from customers order by id')).toEqual([1, 3]);
    expect(await world.column('select distinct customer_id::int from messages where body is null')).toEqual([
      2,
    ]);
    expect(await erase(world, '2')).toEqual(
      plan.steps.map(({ table, action }) => ({ table, action, rows: 0 })),
    );
  });

  it('stay all together while a table without a contract refers to them, and it is named', async () => {
    const world = await create(shop, shopTables);
    const plan = await world.plan();
    expect(plan.obstacles).toEqual([
      expect.objectContaining({
        severity: 'warning',
        message: 'public.calls (calls_customer_id_fkey): a row there keeps Postgres from deleting',
      }),
    ]);
    await world.sql('insert into calls values (1, 1)');
    const message =
      'rows of public.calls refer to those that are to be deleted from public.customers (calls_customer_id_fkey)';
    expect(await world.use((client) => sourceObstaclesOf(client, plan, '1'))).toMatchObject([{ message }]);
    expect(await world.use((client) => sourceObstaclesOf(client, plan, '2'))).toEqual([]);
    expect(await erase(world, '1')).toMatchObject({ code: 'PLAN_REFUSED', message });
    expect(await counts(world)).toEqual(whole);
    await world.sql('delete from calls');
    expect(await erase(world, '1')).toHaveLength(4);
  });

  it('stay all together when Postgres finds a reference that comes meanwhile', async () => {
    const world = await create(
      `${shop};
       create function calls() returns trigger language plpgsql as $$
         begin insert into calls values (7, old.id); return old; end $$;
       create trigger calls before delete on customers for each row execute function calls()`,
      shopTables,
    );
    const message = 'rows of public.calls still refer to what is to be erased (calls_customer_id_fkey)';
    expect(await erase(world, '1')).toMatchObject({ code: 'PLAN_REFUSED', message });
    expect(await counts(world)).toEqual(whole);
  });

  it.each([
    ['swallows', 'return null', 'a trigger or a rule of public.orders keeps rows from being erased'],
    ['refuses', `raise exception 'not %', old.id`, 'a trigger of public.orders keeps rows from being erased'],
  ])('stay all together when a trigger %s the deletion', async (_what, body, message) => {
    const world = await create(
      `${shop};
       create function keep() returns trigger language plpgsql as $$ begin ${body}; end $$;
       create trigger keep before delete on orders for each row execute function keep()`,
      shopTables,
    );
    expect(await erase(world, '1')).toMatchObject({ code: 'PLAN_REFUSED', message });
    expect(await counts(world)).toEqual(whole);
  });

  it('stay all together while another session holds one of them, and that is told in time', async () => {
    const world = await create(shop, shopTables);
    const holder = new Client({ connectionString: world.url });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select from customers where id = 1 for update');
      const started = performance.now();
      expect(await erase(world, '1')).toMatchObject({ code: 'SERVER_FAILED' });
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(await counts(world)).toEqual(whole);
      await holder.query('rollback');
      expect(await erase(world, '1')).toHaveLength(4);
    } finally {
      await holder.end();
    }
  });

  it("do not take another person's along", async () => {
    const schema = `
      create table customers (id int primary key);
      create table cards (id int primary key, customer_id int references customers on delete cascade);
      create table orders (id int primary key, customer_id int references customers on delete cascade,
        card_id int references cards on delete cascade);
      create index on cards (customer_id); create index on orders (customer_id); create index on orders (card_id);
      insert into customers values (1), (2); insert into cards values (10, 1);
      insert into orders values (100, 1, 10), (200, 2, 10)`;
    const world = await create(schema, [
      { table: 'public.customers', subject: 'key: id', erasure: gone },
      { table: 'public.cards', subject: 'key: customer_id', erasure: gone },
      { table: 'public.orders', subject: 'key: customer_id', erasure: gone },
    ]);
    expect(await erase(world, '1')).toMatchObject({
      code: 'PLAN_REFUSED',
      message:
        "rows of public.orders that are another person's would be deleted with those of public.cards (orders_card_id_fkey)",
    });
    expect(await world.column('select id from orders order by id')).toEqual([100, 200]);
    await world.sql('update orders set card_id = null where id = 200');
    expect(await erase(world, '1')).toHaveLength(3);
    expect(await world.column('select id from orders')).toEqual([200]);
  });

  it('go along with others where nobody planned them, and what they keep is found', async () => {
    const schema = `
      create table customers (id int primary key);
      create table notes (id int primary key, customer_id int references customers on delete cascade);
      create table "pin.s" (id int primary key, note_id int references notes);
      insert into customers values (1); insert into notes values (10, 1); insert into "pin.s" values (100, 10)`;
    const world = await create(schema, [{ table: 'public.customers', subject: 'key: id', erasure: gone }]);
    expect((await world.plan()).obstacles.map(({ message }) => message)).toEqual([
      'public.notes (notes_customer_id_fkey): no index leads with it: a walk through the table for each row that goes',
      'public.notes (notes_customer_id_fkey): rows go along (ON DELETE CASCADE)',
      'public.pin.s (pin.s_note_id_fkey): no index leads with it: a walk through the table for each row that goes',
      'public.pin.s (pin.s_note_id_fkey): a row there keeps Postgres from deleting',
    ]);
    expect(await erase(world, '1')).toMatchObject({ code: 'PLAN_REFUSED' });
    await world.sql('delete from "pin.s"');
    expect(await erase(world, '1')).toEqual([{ table: 'public.customers', action: 'delete', rows: 1 }]);
    expect(await world.column('select count(*)::int from notes')).toEqual([0]);
  });
});

describe('tables that refer to each other in a circle', () => {
  const circle = (rest: string, nullable = 'not null') => `
    create table customers (id int primary key, main_order int ${nullable});
    create table orders (id int primary key, customer_id int not null references customers);
    create index on orders (customer_id); create index on customers (main_order);
    alter table customers add constraint main_order foreign key (main_order) references orders ${rest} not valid;
    alter table orders disable trigger all; insert into orders values (10, 1), (20, 2); alter table orders enable trigger all;
    alter table customers disable trigger all; insert into customers values (1, 10), (2, 20); alter table customers enable trigger all`;
  const tables: readonly ErasedTable[] = [
    { table: 'public.customers', subject: 'key: id', erasure: gone },
    { table: 'public.orders', subject: 'key: customer_id', erasure: gone },
  ];

  it.each([
    ['a deferrable one is looked at in the end', 'deferrable', 'not null'],
    ['one that can be null is set to null before', '', 'null'],
  ])('go: %s', async (_what, rest, nullable) => {
    const world = await create(circle(rest, nullable), tables);
    const erased = await erase(world, '1');
    expect(erased).toHaveLength(2);
    expect(erased).toEqual(
      expect.arrayContaining(tables.map(({ table }) => ({ table, action: 'delete', rows: 1 }))),
    );
    expect(await world.column('select id from customers union all select id from orders')).toEqual([2, 20]);
  });

  it('are refused with the reason where nothing opens it', async () => {
    const world = await create(circle(''), tables);
    const refused = await erase(world, '1');
    expect(refused).toMatchObject({ code: 'PLAN_REFUSED' });
    expect((refused as Error).message).toContain(
      'rows of public.customers, public.orders refer to each other in a circle',
    );
    expect(await world.column('select id from orders order by id')).toEqual([10, 20]);
  });
});

describe('a person', () => {
  const odd = `o'neil "x" \\ $1; drop table people --`;

  it.each([
    ['smallint', '7', '8'],
    ['int', '7', '70'],
    ['bigint', '9007199254740993', '9007199254740992'],
    ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'],
    ['text', odd, `${odd}x`],
    ['varchar(60)', odd, odd.toUpperCase()],
    ['char(12)', 'abcdefghijkl', 'abcdefghijkm'],
    ['mood', 'so so', 'fine'],
    ['short', 'abc', 'abd'],
  ])('is found by an id of %s, and nobody else is', async (type, id, other) => {
    const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
    const world = await create(
      `create type mood as enum ('so so', 'fine'); create domain short as varchar(3);
       create table "People" (id ${type} primary key);
       create table visits (id int primary key, person ${type} references "People");
       create index on visits (person);
       insert into "People" values (${literal(id)}), (${literal(other)});
       insert into visits values (1, ${literal(id)}), (2, ${literal(other)}), (3, null)`,
      [
        { table: 'public.People', subject: 'key: id', erasure: gone },
        { table: 'public.visits', subject: 'key: person', erasure: gone },
      ],
    );
    expect(await erase(world, id)).toEqual([
      { table: 'public.visits', action: 'delete', rows: 1 },
      { table: 'public.People', action: 'delete', rows: 1 },
    ]);
    expect(await world.column('select id from visits order by id')).toEqual([2, 3]);
    expect(await world.column('select id::text from "People"')).toEqual([other]);
  });

  it('is found over columns of an enum and a text, which Postgres does not compare', async () => {
    const world = await create(
      `create type place as enum ('here', 'there');
       create table desks (place place primary key, customer_id int);
       create table visits (id int primary key, place text);
       insert into desks values ('here', 1), ('there', 2);
       insert into visits values (1, 'here'), (2, 'there'), (3, 'nowhere')`,
      [
        { table: 'public.desks', subject: 'key: customer_id' },
        { table: 'public.visits', subject: 'path: [place, public.desks.customer_id]', erasure: gone },
      ],
    );
    const plan = await world.plan();
    expect(plan.tables).toEqual([
      { table: 'public.desks', source: 'application' },
      { table: 'public.visits', source: 'delete' },
    ]);
    expect(plan.obstacles.map(({ message }) => message)).toEqual([
      'no index of public.visits leads with place: the whole table is read for each person',
      'no index of public.desks leads with customer_id: the whole table is read for each person',
    ]);
    expect(await erase(world, '1')).toEqual([{ table: 'public.visits', action: 'delete', rows: 1 }]);
    expect(await world.column('select id from visits order by id')).toEqual([2, 3]);
  });

  it('of another type than the column is refused without its id', async () => {
    const world = await create(shop, shopTables);
    for (const id of ['zq7_person', '9'.repeat(30)]) {
      const error = await erase(world, id);
      expect(error).toMatchObject({ code: 'PLAN_REFUSED' });
      expect((error as Error).message).not.toContain(id);
    }
  });

  it("stands in no log of a server that prints every statement's parameters, if the role may tell it not to", async () => {
    const world = await create(shop.replaceAll("'c' || n", "'x'"), [
      { table: 'public.customers', subject: 'key: email', erasure: gone },
    ]);
    await world.sql("insert into customers values (77, repeat('zq7_', 3))");
    const plan = await world.plan();
    await world.use(async (client) => {
      expect(await sourceObstaclesOf(client, plan, 'zq7_'.repeat(3))).toEqual([]);
      for await (const [row] of sourceRowsOf(client, world.datasets[0]!, 'zq7_'.repeat(3))) {
        expect(row?.key).toEqual(['77']);
      }
    });
    expect(await erase(world, 'zq7_'.repeat(3))).toEqual([
      { table: 'public.customers', action: 'delete', rows: 1 },
    ]);
    const [log] = await server.sql('select pg_read_file(pg_current_logfile()) as log');
    expect(log!['log']).toContain('delete from "public"."customers"');
    expect(log!['log']).not.toContain('zq7_'.repeat(3));
  });
});

describe('a role that may too little', () => {
  it('is told before anything is done what it lacks, and what the server would print', async () => {
    const world = await create(shop, shopTables);
    const url = new URL(world.url);
    await world.sql(`create role weak login password 'weak';
      grant select on customers, orders, messages to weak; grant select (line) on order_items to weak;
      grant delete on customers to weak; grant update (body) on messages to weak`);
    url.username = 'weak';
    url.password = 'weak';
    const weak = new Client({ connectionString: url.href });
    await weak.connect();
    try {
      const plan = await planSourceErasure(weak, world.datasets, 'customer');
      expect(plan.obstacles.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
        'warning public.calls (calls_customer_id_fkey): a row there keeps Postgres from deleting',
        'error the role lacks DELETE on public.order_items',
        'error the role lacks DELETE on public.orders',
        'error the role lacks UPDATE (body, sender) on public.messages',
        'error the role lacks SELECT (order_id) on public.order_items',
        "warning the source logs statements with their parameters: a person's id may stand in its log",
      ]);
      await expect(eraseSourceRows(weak, plan, '1', impatient)).rejects.toMatchObject({
        code: 'PLAN_REFUSED',
      });
    } finally {
      await weak.end();
    }
    expect(await counts(world)).toEqual(whole);
  });
});

describe('rows of a person', () => {
  it('are read in batches, with keys and columns as the transform writes them', async () => {
    const world = await create(
      `create table things (at timestamptz(3), day date, name char(4), nr bigint, customer_id int, ok boolean, price numeric,
         primary key (at, day, name, nr));
       insert into things select '2024-02-29 12:00:00.5+02', '2024-02-29', 'x', n, n % 2, n > 2, 1.50 from generate_series(1, 5) n;
       insert into things values ('2024-02-29', '0044-03-15 BC', '|%', 9007199254740993, 1, null, 'NaN')`,
      [{ table: 'public.things', subject: 'key: customer_id' }],
    );
    const batches: (readonly SubjectRow[])[] = [];
    await world.use(async (client) => {
      const rows = sourceRowsOf(client, world.datasets[0]!, '1', { columns: ['ok', 'price'], batchRows: 3 });
      for await (const batch of rows) batches.push(batch);
    });
    expect(batches.map(({ length }) => length)).toEqual([3, 1]);
    expect(batches.flat().map(({ key, values }) => [...key, ...values.values()])).toEqual([
      ['2024-02-29T10:00:00.500Z', '2024-02-29', 'x   ', '1', 'false', '1.50'],
      ['2024-02-29T10:00:00.500Z', '2024-02-29', 'x   ', '3', 'true', '1.50'],
      ['2024-02-29T10:00:00.500Z', '2024-02-29', 'x   ', '5', 'true', '1.50'],
      ['2024-02-29T00:00:00.000Z', '-000043-03-15', '|%  ', '9007199254740993', null, 'NaN'],
    ]);
  });

  it('are found by a path, leave the connection as it was, and may be left off at any time', async () => {
    const world = await create(shop, shopTables);
    const items = world.datasets.find(({ table }) => table === 'public.order_items')!;
    await world.use(async (client) => {
      for await (const [row] of sourceRowsOf(client, items, '2', { batchRows: 1 })) {
        expect(row).toEqual({ key: ['1', '1'], values: new Map() });
        break;
      }
      expect((await client.query('select pg_current_xact_id_if_assigned() as id')).rows).toEqual([
        { id: null },
      ]);
      const all: SubjectRow[] = [];
      for await (const batch of sourceRowsOf(client, items, '2')) all.push(...batch);
      expect(all).toHaveLength(6);
      for await (const batch of sourceRowsOf(client, items, '4')) all.push(...batch);
      expect(all).toHaveLength(6);
    });
  });
});
