import { readFileSync } from 'node:fs';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../pipeline/kafka.ts';
import { type PlacedMessage, readTopics } from '../../pipeline/read-topics.ts';
import * as names from '../../schemas/names.ts';
import type { Config } from '../../schemas/config.ts';
import { deadLetterHeader, header } from '../../schemas/record-headers.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { clickhouseApiPlace } from '../../verify/places/clickhouse-api.ts';
import { connectPlace } from '../../verify/places/connect.ts';
import { elasticsearchApiPlace } from '../../verify/places/elasticsearch-api.ts';
import { kafkaTopicsPlace } from '../../verify/places/kafka-topics.ts';
import { keyStorePlace } from '../../verify/places/key-store.ts';
import { logsPlace } from '../../verify/places/logs.ts';
import { registryPlace } from '../../verify/places/registry.ts';
import { formatScan } from '../../verify/report.ts';
import type { Canary } from '../../verify/canary.ts';
import type { PartName } from '../../stack/part-name.ts';
import { openStack } from '../../stack/stack.ts';
import { isClean, type Place, scanForCanaries } from '../../verify/scan.ts';
import {
  canaries,
  contracts,
  ddl,
  mail,
  mark,
  phone,
  signalCanaries,
  signalMark,
} from '../support/corner-tables.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const tables = ['members', 'posts', 'logins', 'devices', 'visits', 'emptied'] as const;
type Table = (typeof tables)[number];

let stackDir: string;
let live: LivePipeline;
let client: Client;
let instance: Instance;
const config = () => live.project!.config;
const sql = (text: string, values: unknown[] = []) => client.query<Record<string, unknown>>(text, values);

async function messages(topic: string): Promise<PlacedMessage[]> {
  const found: PlacedMessage[] = [];
  await readTopics(createKafka(config(), 'test'), [topic], (placed) => found.push(placed));
  return found;
}

const clean = (table: Table) => messages(names.cleanTopic(config(), `public.${table}`));
const raw = (table: Table) => messages(names.rawTopic(config(), `public.${table}`));
const headerText = ({ headers }: KafkaMessage, name: string): string => String(headers?.[name] ?? '');

/** `op key` of every record of a clean topic, in order; all of a table with one partition's keys. */
async function story(table: Table): Promise<{ op: string; key: string; deleted: boolean }[]> {
  return (await clean(table)).map(({ message }) => ({
    op: headerText(message, header.op),
    key: String(message.key),
    deleted: message.value === null,
  }));
}

/** Rows of the readers' view in ClickHouse. */
async function view(table: Table, columns: string): Promise<Record<string, unknown>[]> {
  const clickhouse = createClickhouseClient(config().clickhouse!);
  const from = `"${names.clickhouseDatabase(config())}"."${names.clickhouseView(`public.${table}`)}"`;
  const query = `select ${columns} from ${from} order by all`;
  const answer = await clickhouse.query({ query, format: 'JSONEachRow' });
  const rows = await answer.json<Record<string, unknown>>();
  await clickhouse.close();
  return rows;
}

async function documentIds(table: Table): Promise<string[]> {
  const alias = `${config().elasticsearch!.url}/${names.indexAlias(config(), `public.${table}`)}`;
  await fetch(`${alias}/_refresh`, { method: 'POST' });
  const answer = (await (await fetch(`${alias}/_search?size=1000`)).json()) as {
    hits: { hits: { _id: string }[] };
  };
  return answer.hits.hits.map((hit) => hit._id).toSorted();
}

/**
 * Streamed records again, with headers of somebody's own beside Debezium's: a repetition, which changes nothing. (A snapshot read that
 * comes again is a new read.)
 */
async function repeatWithHeaders(table: Table, which: (message: KafkaMessage) => boolean): Promise<void> {
  const producer = createKafka(config(), 'test').producer();
  await producer.connect();
  for (const { topic, partition, message } of await raw(table)) {
    if (!which(message)) continue;
    const foreign: IHeaders = { [`${mark}_header`]: `${mark}_header`, [header.op]: `${mark}_header` };
    const { key, value, headers } = message;
    await producer.send({
      topic,
      messages: [{ key, value, headers: { ...headers, ...foreign }, partition }],
    });
  }
  await producer.disconnect();
}

const changesKey = ({ headers }: KafkaMessage): boolean =>
  Object.keys(headers ?? {}).some((name) => /^__debezium\.(?:old|new)key$/.test(name));

beforeAll(async () => {
  const stack = await acquireStack();
  stackDir = stack.dir;
  live = await LivePipeline.ofContracts(stack, contracts, 2);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query(ddl);
  for (let n = 1; n <= 4; n++) {
    await sql(`insert into members values ($1, 'fine', 'h', $2, $3)`, [mail(n), `s${n}`, `${mark}_secret`]);
    await sql(`insert into posts values ($1, 1, $2)`, [mail(n), `${mark}_body`]);
    await sql(`insert into logins values ($1, $2, 1)`, [mail(n), phone(n)]);
    await sql(`insert into devices values ($1, $2, 1)`, [mail(n), phone(n)]);
    await sql(`insert into emptied values ($1, $2)`, [n, mail(n)]);
  }
  await live.apply();
  for (const table of ['members', 'posts', 'logins', 'devices', 'emptied'] as const) {
    await waitUntil(async () => (await raw(table)).length === 4, 120_000, 'the snapshot');
  }
});

afterAll(async () => {
  await client?.end();
  await live?.close();
});

describe('text in DDL', () => {
  it('comments, defaults, labels, domains and checks: stands in no schema, mapping, table or configuration', async () => {
    const { elasticsearch, clickhouse, registry, connect } = config();
    const subjects = (await (await fetch(`${registry.url}/subjects`)).json()) as string[];
    expect(subjects).toContain(`${names.rawTopic(config(), 'public.members')}-value`);
    const places = [
      registryPlace(registry),
      connectPlace(connect),
      elasticsearchApiPlace(elasticsearch!),
      clickhouseApiPlace(clickhouse!),
    ];
    await scan(places, canaries);
  });
});

describe('a personal primary key', () => {
  it('has a raw record that shows its old value, which the tests below look for', async () => {
    await sql('update members set mail = $2 where mail = $1', [mail(1), mail(11)]);
    await sql('update logins set mail = $2, phone = $3 where mail = $1', [mail(1), mail(11), phone(11)]);
    await sql('delete from members where mail = $1', [mail(2)]);
    await sql('delete from logins where mail = $1', [mail(2)]);
    await sql(`insert into members values ($1, 'fine', 'h', 's5', $2)`, [mail(5), `${mark}_secret`]);
    await sql(`insert into posts values ($1, 1, $2)`, [mail(5), `${mark}_body`]);
    await waitUntil(async () => (await raw('posts')).length === 8, 120_000, 'the stream');
    await waitUntil(async () => (await raw('members')).length === 8, 120_000, 'the stream');
    await sql(`insert into visits values (1, $1, 1, $2)`, [mail(1), `${mark}_secret`]);
    await waitUntil(async () => (await raw('visits')).length === 1, 120_000, 'the stream');
    const changed = (await raw('members')).map(({ message }) => message).filter(changesKey);
    const values = changed.flatMap(({ headers }) => Object.values(headers!).map(String));
    expect(values.some((value) => value.includes(mail(1)))).toBe(true);
    expect(values.some((value) => value.includes(mail(11)))).toBe(true);
    for (const table of ['members', 'posts', 'logins', 'devices'] as const) {
      await repeatWithHeaders(table, changesKey);
    }
    await repeatWithHeaders('visits', () => true);
    instance = live.run([], { LETHE_LOG_LEVEL: 'trace' });
    await live.ready(instance);
  });

  it('is the same in every table of its domain, in topic, document id and row', async () => {
    await live.expectEqual(90_000);
    const members = (await view('members', 'mail')).map((row) => String(row['mail']));
    const posts = (await view('posts', 'author')).map((row) => String(row['author']));
    expect(new Set(members).size).toBe(4);
    expect(posts).toEqual(members);
    expect(await documentIds('members')).toEqual(members.toSorted());
    expect(await documentIds('posts')).toEqual(members.map((key) => `${key}|1`).toSorted());
    const logins = await view('logins', 'mail, phone');
    const keys = logins.map((row) => `${String(row['mail'])}|${String(row['phone'])}`);
    expect(keys).toHaveLength(3);
    expect(await view('devices', 'mail, phone')).toEqual(logins);
    expect(await documentIds('logins')).toEqual(keys.toSorted());
    expect(await documentIds('devices')).toEqual(keys.map((key) => `${key}|1`).toSorted());
    for (const { phone } of logins) expect(phone).toMatch(/^\d{16}$/);
    for (const { mail } of logins) expect(members).not.toContain(mail);
  });

  it('that changes is a delete of the old key and a row of the new one', async () => {
    for (const table of ['members', 'posts', 'logins', 'devices'] as const) {
      const records = await story(table);
      const read = new Set(records.filter(({ op }) => op === 'r').map(({ key }) => key));
      const gone = new Set(records.filter(({ deleted }) => deleted).map(({ key }) => key));
      const created = new Set(records.filter(({ op }) => op === 'c').map(({ key }) => key));
      expect(read.size, table).toBe(4);
      // Of the row whose key changed, and of the one that was deleted.
      expect(gone.size, table).toBe(2);
      for (const key of gone) expect(read, table).toContain(key);
      for (const key of created) expect(read, table).not.toContain(key);
      expect(created.size, table).toBe(table === 'members' || table === 'posts' ? 2 : 1);
      for (const { op, deleted } of records) expect(deleted, table).toBe(op === 'd');
    }
  });
});

const headerValues: Readonly<Record<string, RegExp>> = {
  [header.version]: /^[\da-f]{4}-[\da-f]{16}-[\da-f]{16}-[\da-f]{8}$/,
  [header.eventId]: /^[\da-f]{32}$/,
  [header.traceId]: /^[\da-f]{32}$/,
  [header.op]: /^[cudr]$/,
  [header.commitMs]: /^\d{13}$/,
  [header.contract]: /^[\da-f]{16}$/,
};

async function expectOwnHeaders(): Promise<void> {
  for (const table of tables) {
    for (const { message } of await clean(table)) {
      expect(Object.keys(message.headers ?? {}).toSorted()).toEqual(Object.keys(headerValues).toSorted());
      for (const [name, form] of Object.entries(headerValues)) {
        expect(headerText(message, name)).toMatch(form);
      }
    }
  }
}

describe('a clean record', () => {
  it('has the documented headers and no other, whatever the raw record had', async () => {
    expect(await clean('visits')).toHaveLength(2);
    const [visit] = await view('visits', 'home');
    expect(JSON.parse(String(visit!['home']))).toEqual({
      street: expect.any(String) as string,
      city: 'Berlin',
    });
    await expectOwnHeaders();
  });
});

describe('what is no change of a row', () => {
  it('an incremental snapshot reads rows through the contract', async () => {
    const before = (await story('members')).filter(({ op }) => op === 'r').length;
    const filter = `status <> '${signalMark}'`;
    const data = {
      'data-collections': ['public.members'],
      type: 'incremental',
      'additional-conditions': [{ 'data-collection': 'public.members', filter }],
    };
    const values = [signalMark, 'execute-snapshot', JSON.stringify(data)];
    await sql(`insert into ${names.signalTable(config())} values ($1, $2, $3)`, values);
    const read = async () => (await story('members')).filter(({ op }) => op === 'r').length;
    await waitUntil(async () => (await read()) >= before + 4, 120_000, 'the incremental snapshot');
    await live.expectEqual(90_000);
  });

  it('a signal that Debezium does not know, and a heartbeat, are passed over', async () => {
    const values = [`${signalMark}_2`, signalMark, JSON.stringify({ [signalMark]: mark })];
    await sql(`insert into ${names.signalTable(config())} values ($1, $2, $3)`, values);
    const beats = () => messages(names.rawTopic(config(), names.heartbeatTable(config())));
    const before = (await beats()).length;
    await waitUntil(async () => (await beats()).length > before, 60_000, 'a heartbeat');
    await sql(`insert into visits values (3, $1, 1, $2)`, [mail(3), `${mark}_secret`]);
    await live.expectEqual(90_000);
  });

  it('a logical message is left out, and the changes behind it arrive', async () => {
    for (const prefix of [`${mark}_prefix`, '', 'two\nlines']) {
      await sql('select pg_logical_emit_message(true, $1, $2)', [prefix, `${mark}_message`]);
      await sql('select pg_logical_emit_message(false, $1, $2)', [prefix, `${mark}_message`]);
    }
    await sql(`insert into visits values (2, $1, 1, $2)`, [mail(2), `${mark}_secret`]);
    await live.expectEqual(90_000);
  });
});

describe('replica identity FULL, set while traffic runs', () => {
  it('stops UPDATE and DELETE at the source until apply puts it right, and no old row passes even where it does not', async () => {
    let n = 100;
    const visit = () => sql(`insert into visits values ($1, $2, 1, $3)`, [++n, mail(n), `${mark}_secret`]);
    const turn = (id: number) =>
      sql(`update visits set pages = pages + 1, who = $2 where id = $1`, [id, mail(n)]);
    for (let i = 0; i < 20; i++) {
      await visit();
      await turn(n);
    }
    await sql('alter table visits replica identity full');
    // A column list cannot hold what the identity then is: Postgres itself refuses, with the application's transaction.
    for (const statement of [() => turn(n), () => sql('delete from visits where id = 101')]) {
      await expect(statement()).rejects.toMatchObject({ code: '42P10' });
    }
    await visit();
    await live.expectEqual(90_000);
    // With the list gone too Postgres writes whole old rows to the stream, the dropped column among them.
    const publication = `alter publication "${names.publicationName(config())}"`;
    await sql(`${publication} drop table only visits`);
    await sql(`${publication} add table only visits`);
    for (let i = 0; i < 5; i++) {
      await turn(n);
      await visit();
    }
    await sql('delete from visits where id = $1', [n - 1]);
    await live.expectEqual(90_000);
    await live.apply();
    for (let i = 0; i < 20; i++) {
      await visit();
      await turn(n);
      if (i % 5 === 0) await sql('delete from visits where id = $1', [n - 2]);
    }
    await live.expectEqual(90_000);
    await expectOwnHeaders();
  });
});

describe('nothing of it all', () => {
  it('stands in a dead letter in the clear', async () => {
    // Too short to be protected, in a key.
    await sql(`insert into logins values ($1, '12', 1)`, [mail(20)]);
    await sql('truncate emptied');
    await sql(`insert into emptied values (9, $1)`, [mail(9)]);
    const letters = () => messages(names.deadLetterTopic(config(), 'public.logins'));
    await waitUntil(async () => (await letters()).length === 1, 120_000, 'the dead letter');
    const [{ message } = expect.fail('no letter')] = await letters();
    expect(headerText(message, deadLetterHeader.code)).toBe('VALUE_UNPROTECTABLE');
    await scan([topics('dead letter topics', names.deadLetterTopic)], [...canaries, ...signalCanaries]);
  });

  it('stands in the clean topics, though a table was emptied', async () => {
    await waitUntil(
      async () => (await story('emptied')).some(({ key }) => key === '9'),
      120_000,
      'the row behind the TRUNCATE',
    );
    await expectOwnHeaders();
    await scan([topics('clean topics', names.cleanTopic)], [...canaries, ...signalCanaries]);
  });

  it('stands in documents, rows, schemas, configuration, key store or logs', async () => {
    instance.child.kill('SIGTERM');
    expect(await instance.ended).toBe(0);
    const last = readFileSync(instance.logFile, 'utf8').trim().split('\n').at(-1)!;
    const { counts } = JSON.parse(last) as { counts: Record<string, Record<string, number>> };
    expect(counts['public.emptied']!['truncate']).toBeGreaterThanOrEqual(1);
    const { elasticsearch, clickhouse, registry, connect, keys } = config();
    const places = [
      registryPlace(registry),
      connectPlace(connect),
      elasticsearchApiPlace(elasticsearch!),
      clickhouseApiPlace(clickhouse!),
      keyStorePlace(keys),
    ];
    // The source's own log shows the statements that it refused.
    const parts = (['kafka', 'registry', 'elasticsearch', 'clickhouse'] as const).map(logFile);
    await scan([...places, logsPlace([...live.logs(), ...parts])], [...canaries, ...signalCanaries]);
    // Debezium tells of each signal that it got, and of nothing in rows.
    await scan([logsPlace([logFile('connect')])], canaries);
  });
});

function logFile(part: PartName): string {
  return openStack(stackDir).partDir(part).logFile;
}

function topics(name: string, of: (named: Config, table: string) => string): Place {
  return kafkaTopicsPlace(
    config(),
    name,
    tables.map((table) => of(config(), `public.${table}`)),
  );
}

async function scan(places: readonly Place[], of: readonly Canary[]): Promise<void> {
  const reports = await scanForCanaries({ canaries: of, places });
  if (!isClean(reports)) expect.fail(formatScan(reports, { colour: false }));
}
