import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../connectors/ddl/advice.ts';
import { openLetters } from '../../cli/dlq/open-mail.ts';
import { cleanTopic, clickhouseDatabase, indexAlias } from '../../schemas/names.ts';
import { clickhouseApiPlace } from '../../verify/places/clickhouse-api.ts';
import { elasticsearchApiPlace } from '../../verify/places/elasticsearch-api.ts';
import { kafkaTopicsPlace } from '../../verify/places/kafka-topics.ts';
import { logsPlace } from '../../verify/places/logs.ts';
import { scanForCanaries } from '../../verify/scan.ts';
import { StepFollower } from '../support/follow-steps.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const canary = 'zq7_canary_ddl';
const contract = (table: string, columns: string, sinks = 'clickhouse') =>
  `table: public.${table}\nowner: o\ntier: 1\nsinks: [${sinks}]\nstaleness: 30s\ncolumns:\n${columns}`;
const keep = (name: string) => `  ${name}: { classification: internal, action: keep }\n`;
const mail = '  mail: { classification: person.contact, action: hash }\n';
const contracts = {
  'people.yaml': contract(
    'people',
    `${['id', 'city', 'nick'].map(keep).join('')}${mail}  secret: { classification: credential, action: drop }\n`,
    'elasticsearch, clickhouse',
  ),
  'levels.yaml': contract('levels', `${['id', 'born', 'level'].map(keep).join('')}${mail}`, ''),
  'orders.yaml': contract('orders', keep('id') + keep('total') + mail),
  'places.yaml': contract('places', keep('id') + mail),
  'gone.yaml': contract('gone', keep('id') + mail),
  'emptied.yaml': contract('emptied', keep('id') + mail),
};
const tables = ['people', 'levels', 'orders', 'places', 'gone', 'emptied'] as const;

const foretold: readonly (readonly [statement: string, outcome: Outcome, sqlstate?: string])[] = [
  ['ALTER TABLE people DROP COLUMN city', 'refused', '2BP01'],
  ['ALTER TABLE people DROP COLUMN city CASCADE', 'lost'],
  ['ALTER TABLE people DROP COLUMN spare', 'safe'],
  ['ALTER TABLE people DROP COLUMN secret', 'unfit'],
  ['ALTER TABLE people DROP COLUMN id', 'refused', '2BP01'],
  ['ALTER TABLE people ALTER COLUMN nick TYPE text', 'refused', '0A000'],
  ['ALTER TABLE levels ALTER COLUMN level TYPE bigint', 'refused', '0A000'],
  ['ALTER TABLE people ALTER COLUMN id TYPE bigint', 'refused', '0A000'],
  ['ALTER TABLE people ALTER COLUMN spare TYPE varchar(50)', 'safe'],
  ['ALTER TABLE levels RENAME COLUMN born TO birth', 'halts'],
  ['ALTER TABLE people RENAME COLUMN id TO number', 'halts'],
  ['ALTER TABLE people ADD COLUMN preferred_delivery_window text', 'safe'],
  ['ALTER TABLE people REPLICA IDENTITY FULL', 'breaks', '42P10'],
  ['ALTER TABLE orders DROP CONSTRAINT orders_key', 'breaks', '55000'],
  ['ALTER TABLE orders DROP CONSTRAINT orders_key, ADD PRIMARY KEY (ref)', 'breaks', '42P10'],
  ['ALTER TABLE orders DROP CONSTRAINT orders_key, ADD PRIMARY KEY (id)', 'safe'],
  ['ALTER TABLE orders ADD PRIMARY KEY (ref)', 'refused', '42P16'],
  ['ALTER TABLE places RENAME TO sites', 'lost'],
  ['DROP TABLE gone', 'lost'],
  ['TRUNCATE emptied', 'halts'],
];

/**
 * Invariant: whatever DDL the application runs, its own statements go on; Postgres refuses what `lethe migrate` says that it does,
 * and the order that it prints works as it is printed, under traffic.
 */
describe('DDL of the source', () => {
  let live: LivePipeline;
  let client: Client;
  let follower: StepFollower;
  let traffic: Promise<unknown>;
  const stopped = new AbortController();
  /** Where the application finds its tables now; it leaves those alone that are not here. */
  const names = new Map<string, string>(tables.map((table) => [table, table]));
  const failures: string[] = [];

  /** Statements of the application on a table: what fails for want of the table is its own doing. */
  async function use(writer: Client, table: string): Promise<void> {
    for (let i = 1_000; !stopped.signal.aborted; i++) {
      const name = names.get(table);
      if (name === undefined) return;
      for (const text of [
        `insert into ${name} (id, mail) values (${i}, '${canary} ${i}')`,
        `update ${name} set mail = '${canary} changed ${i}' where id = ${i} - 3`,
        `delete from ${name} where id = ${i} - 10 and id % 2 = 0`,
      ]) {
        await writer.query(text).catch((error: { code: string }) => {
          if (error.code !== '42P01') failures.push(`${error.code} ${text}`);
        });
      }
      await sleep(100);
    }
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    client = new Client({ connectionString: live.source.url });
    const writers = tables.map(() => new Client({ connectionString: live.source.url }));
    await Promise.all([client, ...writers].map((one) => one.connect()));
    await client.query(`
      create table people (id int primary key, mail text, city text, nick varchar(10),
        secret text default '${canary}', spare text default '${canary}');
      create table levels (id int primary key, mail text, born varchar(10), level int);
      create table orders (id int constraint orders_key primary key, ref uuid not null default gen_random_uuid(), total int, mail text);
      create table places (id int primary key, mail text);
      create table gone (id int primary key, mail text);
      create table emptied (id int primary key, mail text);
      insert into people select g, '${canary} ' || g, 'city ' || g, 'nick ' || g from generate_series(1, 100) g;
      insert into levels select g, '${canary} ' || g, '1990', g from generate_series(1, 50) g;
      insert into orders (id, mail) select g, '${canary} ' || g from generate_series(1, 50) g;
      insert into places select g, '${canary} ' || g from generate_series(1, 50) g;
      insert into gone select g, '${canary} ' || g from generate_series(1, 50) g;
      insert into emptied select g, '${canary} ' || g from generate_series(1, 50) g`);
    await live.apply();
    const instance = live.run();
    await live.ready(instance);
    follower = new StepFollower(live, client, instance);
    traffic = Promise.all(
      tables.map(async (table, i) => {
        await use(writers[i]!, table);
        await writers[i]!.end();
      }),
    );
  });

  afterAll(async () => {
    stopped.abort();
    await traffic;
    await client?.end();
    await live?.close();
  });

  it('does what is foretold', async () => {
    const { code, statements, tried } = await follower.migrate(foretold.map(([text]) => text).join(';\n'));
    expect(code).toBe(1);
    expect(statements).toMatchObject(
      foretold.map(([statement, outcome, sqlstate]) => ({
        statement,
        outcome,
        ...(sqlstate ? { sqlstate } : {}),
      })),
    );
    expect(tried).toEqual(
      foretold.map(([statement, outcome, sqlstate]) => ({
        statement,
        sqlstate: outcome === 'refused' ? sqlstate : '00000',
      })),
    );
  });

  it.each(foretold.filter(([, outcome]) => outcome === 'breaks'))(
    '%s would make the application fail, as foretold',
    async (statement, _outcome, sqlstate) => {
      await client.query(`begin; ${statement}`);
      await expect(client.query(`update ${statement!.split(' ')[2]} set mail = mail`)).rejects.toMatchObject({
        code: sqlstate,
      });
      await client.query('rollback');
    },
  );

  it.each<[statement: string, becomes?: readonly [table: string, name?: string]]>([
    ['ALTER TABLE people ALTER COLUMN nick TYPE text'],
    ['ALTER TABLE people DROP COLUMN city'],
    ['ALTER TABLE levels RENAME COLUMN born TO birth'],
    ['ALTER TABLE levels ALTER COLUMN level TYPE bigint'],
    ['ALTER TABLE people DROP COLUMN secret'],
    ['ALTER TABLE orders DROP CONSTRAINT orders_key, ADD PRIMARY KEY (ref)'],
    ['ALTER TABLE places RENAME TO sites', ['places', 'sites']],
    ['DROP TABLE gone', ['gone']],
  ])('%s: the printed order works as it is printed', async (statement, becomes) => {
    const { statements } = await follower.migrate(statement);
    const { steps } = statements[0]!;
    expect(steps.length).toBeGreaterThan(0);
    if (becomes) {
      // The application's new release comes with the statement.
      const [table, name] = becomes;
      if (name === undefined) names.delete(table);
      else names.set(table, name);
    }
    await follower.follow(steps);
    expect(failures).toEqual([]);
  });

  it('leaves every store equal to the source, no dead letter, and nothing in the clear', async () => {
    stopped.abort();
    await traffic;
    const { config, datasets } = await live.open();
    expect(datasets.map(({ table }) => table)).toEqual([
      'public.emptied',
      'public.levels',
      'public.people',
      'public.sites',
    ]);
    await live.expectEqual();
    expect(await openLetters(config, datasets)).toEqual([]);
    const all = [...tables, 'sites'].map((table) => `public.${table}`);
    const places = [
      kafkaTopicsPlace(
        config,
        'clean topics',
        all.map((table) => cleanTopic(config, table)),
      ),
      elasticsearchApiPlace(config.elasticsearch!, (index) =>
        index.startsWith(indexAlias(config, 'public.x').slice(0, -1)),
      ),
      clickhouseApiPlace(config.clickhouse!, (name) => name === clickhouseDatabase(config)),
      logsPlace(live.logs()),
    ];
    const canaries = [{ table: '', column: '', action: 'hash' as const, bytes: [Buffer.from(canary)] }];
    const reports = await scanForCanaries({ places, canaries });
    expect(reports.map(({ place, found, problems }) => ({ place, found, problems }))).toEqual(
      reports.map(({ place }) => ({ place, found: 0, problems: [] })),
    );
  });
});
