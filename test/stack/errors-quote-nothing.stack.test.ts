import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaMessage } from 'kafkajs';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import { components, type RunningPipeline, startPipeline } from '../../cli/pipeline.ts';
import { publicationResources } from '../../connectors/postgres/publication.ts';
import { suggestContracts } from '../../connectors/suggest/suggest-contracts.ts';
import { describeCiphertext } from '../../keys/ciphertext.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import * as names from '../../schemas/names.ts';
import { deadLetterHeader } from '../../schemas/record-headers.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { errorSites, everythingOf, placesOf, provokedByServers } from '../support/error-sites.ts';
import { refusals } from '../support/gate-errors.ts';
import { keyStoreRefusals } from '../support/key-store-errors.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { made } from '../support/recorded-errors.ts';
import { readOnce } from '../support/read-once.ts';
import { acquireStack, freshDatabase, type TestDatabase, type TestStack } from '../support/stack.ts';

vi.mock('../../schemas/errors.ts', async (original) => {
  const { recorded } = await import('../support/recorded-errors.ts');
  return recorded(await original());
});

const canary = 'zq7_err_canary_7d20';
const table = 'public.holders';
const refusedNumber = 40_000;
const contract = `table: ${table}
owner: test@lethe.example
tier: 1
subject: { type: customer, key: person }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  person: { classification: person.id, action: drop }
  mail: { classification: person.contact, action: encrypt }
  card: { classification: payment.card, action: format-preserving }
  doc: { classification: internal, action: keep }
  tags: { classification: internal, action: keep }
  real: { classification: internal, action: keep }
  day: { classification: internal, action: keep }
  price: { classification: internal, action: keep }
  n: { classification: internal, action: keep }
`;

let stack: TestStack;
let live: LivePipeline;
let client: Client;
let pipeline: RunningPipeline | undefined;
const databases: TestDatabase[] = [];
const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
const config = () => live.project!.config;
function expectSilent(...values: unknown[]): void {
  for (const value of [...values, ...made]) {
    const printed = typeof value === 'string' ? value : everythingOf(value);
    for (const form of [
      canary,
      Buffer.from(canary).toString('hex'),
      Buffer.from(canary).toString('base64'),
    ]) {
      expect(printed.includes(form), printed.replaceAll(canary, '<canary>').slice(0, 2_000)).toBe(false);
    }
  }
}

/** A row with the canary wherever its types let one be; in `id` it is the record's key. */
async function insert(id: string, changes: Record<string, unknown> = {}): Promise<void> {
  const row = {
    id: `${canary}_${id}`,
    person: `${canary}_person`,
    mail: `${canary}_mail`,
    card: '4111111111111111',
    doc: JSON.stringify({ [canary]: canary }),
    tags: [canary],
    real: 0.5,
    day: '2026-01-02',
    price: '1.50',
    n: 1,
    ...changes,
  };
  const columns = Object.keys(row).map((name) => `"${name}"`);
  const places = columns.map((_, i) => `$${i + 1}`);
  await client.query(`insert into holders (${columns.join()}) values (${places.join()})`, Object.values(row));
}

/** A type under a column list cannot change: somebody takes the table out for a moment. */
const retype = (type: string) => {
  const publication = `alter publication "${names.publicationName(config())}"`;
  return client.query(`${publication} drop table only holders;
    alter table holders alter column n type ${type} using 1;
    ${publication} add table only holders (id, person, mail, card, doc, tags, "real", day, price, n)`);
};

async function letters(): Promise<KafkaMessage[]> {
  const found: KafkaMessage[] = [];
  const topic = names.deadLetterTopic(config(), table);
  await readTopics(createKafka(config(), 'test'), [topic], ({ message }) => found.push(message));
  return found;
}

/** `CODE stage` of every dead letter, each once. */
async function reasons(): Promise<string[]> {
  const text = (message: KafkaMessage, name: string) => String(message.headers?.[name]);
  const all = (await letters()).map(
    (m) => `${text(m, deadLetterHeader.code)} ${text(m, deadLetterHeader.stage)}`,
  );
  return [...new Set(all)].toSorted();
}

const awaitReason = (reason: string) =>
  waitUntil(async () => (await reasons()).includes(reason), 120_000, reason);

async function produce(topic: string, message: { key: string; value: Buffer }): Promise<void> {
  const producer = createKafka(config(), 'test').producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ ...message, headers: { [canary]: canary } }] });
  await producer.disconnect();
}

async function failureOf(work: () => Promise<unknown>): Promise<LetheError> {
  const error: unknown = await work().then(
    () => expect.fail('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LetheError);
  expectSilent(error);
  return error as LetheError;
}

async function database(): Promise<TestDatabase> {
  const fresh = await freshDatabase(stack.endpoints, 'errors');
  databases.push(fresh);
  return fresh;
}

async function sqlOf(url: string, ...statements: string[]): Promise<void> {
  const other = new Client({ connectionString: url });
  await other.connect();
  for (const statement of statements) await other.query(statement);
  await other.end();
}

beforeAll(async () => {
  stack = await acquireStack();
  live = await LivePipeline.ofContracts(stack, { 'holders.yaml': contract }, 1);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query(`create table holders (id text primary key, person text, mail text, card text, doc jsonb,
    tags text[], "real" float8, day date, price numeric(10, 2), n int)`);
  // One person's key, the only one yet, is destroyed before the first of its rows is seen.
  await live.apply();
  const keys = openKeyStore(config());
  await keys.dataKeys({ type: 'customer' }, [`${canary}_erased`]);
  await keys.close();
  const destroy = 'update lethe_keys.data_keys set wrapped = null, destroyed_at = now()';
  await sqlOf(live.env['LETHE_KEYS_URL']!, destroy);
  // Both stores refuse a number that the contract takes.
  const elasticsearch = createElasticsearchClient(config().elasticsearch!);
  const index = names.indexName(config(), table, 1);
  const { mappings, aliases } = (await elasticsearch.indices.get({ index }))[index]!;
  await elasticsearch.indices.delete({ index });
  mappings!.properties!['n'] = { type: 'short' };
  await elasticsearch.indices.create({ index, mappings: mappings!, aliases: aliases! });
  await elasticsearch.close();
  const clickhouse = createClickhouseClient(config().clickhouse!);
  const rows = `"${names.clickhouseDatabase(config())}"."${names.clickhouseTable(table, 1)}"`;
  await clickhouse.command({ query: `alter table ${rows} add constraint c check n != ${refusedNumber}` });
  await clickhouse.close();
});

afterAll(async () => {
  await pipeline?.stop();
  await client?.end();
  await live?.close();
  for (const each of databases) await each.drop();
});

describe('a pipeline in which everything fails that can', () => {
  it('buries each record under a code', async () => {
    await insert('good');
    await insert('no subject', { person: null });
    await insert('erased', { person: `${canary}_erased` });
    await insert('letters', { card: canary });
    await insert('not a number', { real: 'NaN' });
    await insert('far away', { day: '9999-01-01' });
    await insert('no decimal', { price: 'NaN' });
    await insert('refused', { n: refusedNumber });
    await insert('large', { mail: canary.repeat(Math.ceil(20_915_000 / canary.length)) });
    await insert('toast', {
      doc: JSON.stringify(Array.from({ length: 4_000 }, (_, i) => `${canary}${i * i}`)),
    });
    await client.query('update holders set n = 2 where id = $1', [`${canary}_toast`]);
    // The column is another one by the time that its unchanged value is looked for.
    await client.query('alter table holders rename column doc to doc_then');
    const raw = names.rawTopic(config(), table);
    await produce(raw, { key: canary, value: Buffer.from(canary) });
    const unknown = Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), Buffer.from(canary)]);
    await produce(raw, { key: canary, value: unknown });
    await produce(names.cleanTopic(config(), table), { key: canary, value: Buffer.from(canary) });
    pipeline = await startPipeline(config(), live.project!.datasets, components, log);
    await awaitReason('VALUE_UNRESOLVED transform');
    await client.query('alter table holders rename column doc_then to doc');
    await awaitReason('SCHEMA_UNKNOWN transform');
    await awaitReason('RECORD_TOO_LARGE transform');
    await awaitReason('RECORD_REJECTED clickhouse');
    await awaitReason('RECORD_REJECTED elasticsearch');
    await awaitReason('RECORD_MALFORMED elasticsearch');
  });

  it('waits for a store that takes nothing', async () => {
    const elasticsearch = createElasticsearchClient(config().elasticsearch!);
    const index = names.indexName(config(), table, 1);
    const block = (write: boolean) =>
      elasticsearch.indices.putSettings({ index, settings: { 'index.blocks.write': write } });
    const tells = (words: RegExp) => logged.some((line) => words.test(line));
    await block(true);
    try {
      await client.query('delete from holders where id = $1', [`${canary}_good`]);
      await waitUntil(() => tells(/elasticsearch did not take all changes/), 60_000, 'the outage');
    } finally {
      await block(false);
      await elasticsearch.close();
    }
    await waitUntil(() => tells(/elasticsearch.*answers again/), 60_000, 'its end');
  });

  it('knows no row any more once a column has another type', async () => {
    await retype('text');
    await insert('drifted', { n: canary });
    await awaitReason('SCHEMA_UNEXPECTED transform');
    expect(await reasons()).toEqual([
      'RECORD_MALFORMED clickhouse',
      'RECORD_MALFORMED elasticsearch',
      'RECORD_MALFORMED transform',
      'RECORD_REJECTED clickhouse',
      'RECORD_REJECTED elasticsearch',
      'RECORD_TOO_LARGE transform',
      'SCHEMA_UNEXPECTED transform',
      'SCHEMA_UNKNOWN transform',
      'SUBJECT_MISSING transform',
      'VALUE_UNPROTECTABLE transform',
      'VALUE_UNREPRESENTABLE clickhouse',
      'VALUE_UNREPRESENTABLE elasticsearch',
      'VALUE_UNRESOLVED transform',
    ]);
  });

  it('quotes nothing in dead letters, counters, status, log or any error that was made', async () => {
    const all = await letters();
    for (const { key, value, headers } of all) {
      expect(String(key)).toMatch(/^\S+\.public\.holders\/\d+\/\d+\/[a-z]+$/);
      expect(describeCiphertext(value!)).toBeDefined();
      expectSilent(String(key), value!.toString('latin1'), JSON.stringify(headers));
      for (const [name, text] of Object.entries(headers ?? {})) expectSilent(name, String(text));
    }
    const status = await readStatus(config(), live.project!.datasets);
    expect(status.deadLetters.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
    expectSilent(JSON.stringify(status), JSON.stringify(pipeline!.counters), logged.join(''));
    expect(logged.filter((line) => line.includes('"msg":"dead letter"')).length).toBeGreaterThanOrEqual(14);
  });
});

describe('a server that refuses', () => {
  const closed = `postgres://app:${canary}@127.0.0.1:1/none`;

  it('the source: a column that is gone, a key that is none, a transaction that never shows', async () => {
    const { postgres } = config();
    const codeOf = async (...read: Parameters<typeof readOnce>) =>
      (await failureOf(() => readOnce(...read))).code;
    const [holders] = live.project!.datasets as [Dataset];
    await client.query('create table numbered (id int primary key, doc text)');
    const numbered = { ...holders, table: 'public.numbered' };
    const columns = holders.columns.map((column) => ({ ...column, source: 'composite' as const }));
    const key = `${canary}_toast`;
    const future = codeOf(postgres, holders, 'mail', key, 1n << 30n);
    expect(await codeOf(postgres, holders, canary, key)).toBe('VALUE_UNRESOLVED');
    expect(await codeOf({ url: closed }, holders, 'mail', key)).toBe('UNREACHABLE');
    // Postgres quotes the text that is no number.
    expect(await codeOf(postgres, numbered, 'doc', canary)).toBe('UNREACHABLE');
    expect(await codeOf(postgres, { ...numbered, columns }, 'doc', '1')).toBe('SCHEMA_UNEXPECTED');
    expect(await future).toBe('UNREACHABLE');
  });

  it('the source: a publication that somebody else changes, a table that is not there', async () => {
    const { url } = await database();
    const named = { ...config(), postgres: { url } };
    const publication = names.publicationName(named);
    await sqlOf(
      url,
      'create schema lethe',
      `create table holders (id text primary key, person text, mail text, card text, doc jsonb default '"${canary}"',
         tags text[], "real" float8, day date, price numeric(10, 2), n int)`,
      `create table ${names.heartbeatTable(named)} (id int primary key)`,
      `create table ${names.signalTable(named)} (id int primary key)`,
      `create function meddle() returns event_trigger language plpgsql as
         $$ begin alter publication "${publication}" drop table holders; end $$`,
      `create event trigger meddle on ddl_command_end when tag in ('CREATE PUBLICATION') execute function meddle()`,
    );
    const [resource] = publicationResources(named, live.project!.datasets);
    expect((await failureOf(() => resource!.apply([]))).code).toBe('SERVER_FAILED');
    const options = { table: 'public.nowhere', sampleRows: 10, config: named, existing: [] };
    expect((await failureOf(() => suggestContracts(client, options))).code).toBe('CONTRACT_INVALID');
  });

  it('the key store: away, not set up, without secrets, of another version or master key, or with another password', async () => {
    const [{ url }, older] = [await database(), await database()];
    expect(await keyStoreRefusals(config().keys, { url, older: older.url, closed }, canary)).toEqual([
      'KEY_STORE_UNAVAILABLE',
      'KEY_STORE_INVALID',
      'AUTH_FAILED',
      'KEY_STORE_INVALID',
      'KEY_STORE_INVALID',
      'KEY_STORE_INVALID',
      'KEY_STORE_UNAVAILABLE',
      'KEY_STORE_INVALID',
      'KEY_STORE_INVALID',
    ]);
  });

  it('any server, to `lethe run` and the other commands, with the password in its address', async () => {
    await pipeline?.stop();
    pipeline = undefined;
    await retype('int');
    await insert('waiting');
    const trace = { LETHE_LOG_LEVEL: 'trace' };
    const away = live.run(['--only', 'transform'], { ...trace, LETHE_KEYS_URL: closed });
    const tells = () => readFileSync(away.logFile, 'utf8').includes('KEY_STORE_UNAVAILABLE');
    await waitUntil(tells, 60_000, 'the key store’s outage');
    away.child.kill('SIGKILL');
    await away.ended;
    const servers = ['POSTGRES', 'KEYS', 'REGISTRY', 'ELASTICSEARCH', 'CLICKHOUSE', 'CONNECT'];
    const spoilt = (end: string) =>
      Object.fromEntries(
        servers.map((name) => {
          const url = new URL(live.env[`LETHE_${name}_URL`]!);
          url.username ||= 'app';
          url.password = canary;
          return [`LETHE_${name}_URL`, `${url.href}${end}`];
        }),
      );
    const runs: readonly (readonly [line: string, env: Record<string, string>])[] = [
      ...['check --json', 'plan', 'status --json', 'run'].map((line) => [line, spoilt('')] as const),
      ['check --json', spoilt(`?${canary}`)],
      ['run', { LETHE_MASTER_FILE: join(live.folder, `${canary}.json`) }],
    ];
    for (const [line, env] of runs) {
      const { code, output } = await command(line.split(' '), env);
      expect(code, line).toBe(1);
      expectSilent(output);
    }
    expectSilent(...live.logs().map((file) => readFileSync(file, 'utf8')));
  });
});

/** A command of its own on the live project, with everything it prints. */
async function command(args: readonly string[], env: Record<string, string>) {
  const main = join(packageRoot(), 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, ...args, '--config', live.configPath], {
    env: { ...process.env, ...live.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

describe('every place', () => {
  it('that needs a real server to make its error was passed', async () => {
    expect(await refusals(config(), live.project!.datasets[0]!)).toEqual(['TABLE_HALTED', 'PLAN_REFUSED']);
    const passed = new Set(made.flatMap(placesOf));
    const left = errorSites().filter(({ file, place }) => provokedByServers.has(file) && !passed.has(place));
    expect(left.map(({ place, text }) => `${place} ${text.trim()}`)).toEqual([]);
    expectSilent();
  });
});
