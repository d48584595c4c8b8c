import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Admin, CompressionTypes, type Kafka } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../schemas/config.ts';
import type { ActionName } from '../../schemas/column-rule.ts';
import type { Contract } from '../../schemas/contract.ts';
import type { Canary } from '../../verify/canary.ts';
import { pipelinePlaces } from '../../verify/places/pipeline-places.ts';
import { isClean, type PlaceReport, scanForCanaries } from '../../verify/scan.ts';
import { acquireStack, freshDatabase, type TestDatabase, type TestStack } from '../support/stack.ts';
import {
  clickhouse,
  elasticsearch,
  fixtureConfig,
  fixtureKeyStore,
  kafkaOf,
  sql,
  wireEncoder,
} from '../support/verify-fixture.ts';

const run = randomBytes(6).toString('hex');
const canaries: Canary[] = [];

/** A value like no other, named after where it is planted. */
function plant(where: string, action: ActionName | 'unnamed' = 'encrypt'): string {
  const value = `zq${run}-${where}-é-${randomBytes(6).toString('hex')}`;
  canaries.push({ table: 'public.people', column: where, action, bytes: [Buffer.from(value)] });
  return value;
}

/** Text that compresses well: what comes after its first lines is no longer there as it is. */
const wrapped = (value: string): string =>
  `${'lorem ipsum dolor '.repeat(200)}${value}${' sit amet'.repeat(200)}`;

const contract: Contract = {
  table: 'public.people',
  owner: 'tests',
  tier: 1,
  sinks: ['elasticsearch', 'clickhouse'],
  staleness: '30s',
  columns: {},
};
const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

let stack: TestStack;
let database: TestDatabase;
let config: Config;
let kafka: Kafka;
let admin: Admin;
let logs: string;
let reports: PlaceReport[];
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  stack = await acquireStack();
  database = await freshDatabase(stack.endpoints, 'scan');
  undo.push(() => database.drop());
  config = fixtureConfig(stack.endpoints, `scan_${run}`, database.url);
  kafka = kafkaOf(stack.endpoints);
  admin = kafka.admin();
  await admin.connect();
  undo.push(() => admin.disconnect());
  await plantInTopics();
  await plantInInternalTopics();
  await plantInRawTopic();
  await plantInElasticsearch();
  await plantInClickhouse();
  await plantInRegistry();
  await plantInConnect();
  await plantInKeyStore();
  await plantInLogs();
  reports = await scanForCanaries({ places: pipelinePlaces(config, [contract], { logs: [logs] }), canaries });
});

afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

async function createTopic(topic: string, settings: Record<string, string> = {}): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }] });
  undo.push(() => admin.deleteTopics({ topics: [topic] }));
}

async function plantInTopics(): Promise<void> {
  const clean = `${config.name}.clean.public.people`;
  const dead = `${config.name}.deadletter.public.people`;
  await createTopic(clean);
  await createTopic(dead);
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic: clean,
    messages: [
      { key: plant('clean key'), value: 'x' },
      {
        key: 'b',
        value: Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 0x40]), Buffer.from(plant('clean value'))]),
      },
      { key: 'c', value: null, headers: { 'lethe-op': plant('header of a tombstone') } },
      { key: 'd', value: 'x', headers: { [plant('name of a header')]: 'x' } },
      { key: 'e', value: Buffer.from(plant('base64 in a value')).toString('base64') },
    ],
  });
  await producer.send({
    topic: dead,
    messages: [{ key: 'a', value: 'x', headers: { 'lethe-error-code': plant('dead letter') } }],
  });
  for (const codec of codecs) {
    const topic = `${config.name}.packed.${codec}`;
    await createTopic(topic, { 'compression.type': codec });
    await producer.send({ topic, messages: [{ key: 'a', value: wrapped(plant(codec)) }] });
  }
  await producer.disconnect();
}

async function plantInInternalTopics(): Promise<void> {
  const group = `group-${plant('__consumer_offsets')}`;
  const topic = `${config.name}.clean.public.people`;
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '1' }] });
  undo.push(() => admin.deleteGroups([group]));
  const transactional = kafka.producer({
    transactionalId: `tx-${plant('__transaction_state')}`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await transactional.connect();
  const rolledBack = await transactional.transaction();
  await rolledBack.send({ topic, messages: [{ key: 'x', value: plant('rolled back') }] });
  await rolledBack.abort();
  await transactional.disconnect();
}

/** Records 0 and 1 in a batch, 2 to 4 in a compressed one, 5; then everything before 3 is purged. */
async function plantInRawTopic(): Promise<void> {
  const topic = `${config.name}.raw.public.people`;
  await createTopic(topic, { 'compression.type': 'producer' });
  const producer = kafka.producer();
  await producer.connect();
  const send = (values: string[]): Promise<unknown> =>
    producer.send({
      topic,
      compression: values.length > 2 ? CompressionTypes.GZIP : CompressionTypes.None,
      messages: values.map((value) => ({ value })),
    });
  await send([plant('raw, purged'), plant('raw, purged hash', 'hash')]);
  await send([
    wrapped(plant('raw, purged in a half-purged batch', 'mask')),
    wrapped(plant('raw, waiting')),
    wrapped(plant('raw, dropped', 'drop')),
  ]);
  await send([
    `${plant('raw, waiting too', 'hash')}${plant('raw, unnamed', 'unnamed')}${plant('raw, nulled', 'null')}`,
  ]);
  await producer.disconnect();
  // The admin client knows a topic's leaders only after it has asked for something of it.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] });
}

async function plantInElasticsearch(): Promise<void> {
  const index = `/${config.name}-people-v1`;
  await elasticsearch(stack.endpoints, 'PUT', index, {
    settings: { number_of_shards: 1, number_of_replicas: 0, 'index.hidden': true },
    mappings: {
      dynamic: 'strict',
      _meta: { note: plant('mapping') },
      properties: {
        name: { type: 'text', fields: { keyword: { type: 'keyword' } } },
        note: { type: 'keyword', index: false, doc_values: false },
        _lethe: { properties: { key: { type: 'keyword' }, deleted: { type: 'boolean' } } },
      },
    },
    aliases: {
      [`${config.name}-people`]: { filter: { bool: { must_not: { term: { '_lethe.deleted': true } } } } },
    },
  });
  undo.push(() => elasticsearch(stack.endpoints, 'DELETE', index));
  const put = (id: string, document: object): Promise<unknown> =>
    elasticsearch(stack.endpoints, 'PUT', `${index}/_doc/${encodeURIComponent(id)}?refresh=true`, document);
  await put('1', { name: plant('document') });
  await put('2', { note: wrapped(plant('stored field')), _lethe: { deleted: false } });
  await put('3', { _lethe: { key: plant('tombstone document'), deleted: true } });
  await put('4', { note: wrapped(plant('deleted document')) });
  await put('5', { note: 'kept so that the segment stays' });
  await elasticsearch(stack.endpoints, 'POST', `${index}/_flush?force=true`);
  await elasticsearch(stack.endpoints, 'DELETE', `${index}/_doc/4?refresh=true`);
  await put('6', { note: `"${Buffer.from(plant('hex in a document')).toString('hex')}"` });
}

async function plantInClickhouse(): Promise<void> {
  const db = config.name;
  const insert = (table: string, value: string): Promise<unknown> =>
    clickhouse(stack.endpoints, `INSERT INTO ${db}.${table} VALUES (1, 1, '${value}')`);
  await clickhouse(stack.endpoints, `CREATE DATABASE ${db}`);
  undo.push(() => clickhouse(stack.endpoints, `DROP DATABASE ${db} SYNC`));
  for (const [table, codec, comment] of [
    ['_rows_people', 'LZ4', plant('table comment')],
    ['packed', 'ZSTD(3)', ''],
    ['merged', 'LZ4', ''],
    ['detached', 'Delta, ZSTD', ''],
    ['hidden', 'NONE', ''],
  ]) {
    const type = codec!.startsWith('Delta') ? 'String CODEC(ZSTD)' : `String CODEC(${codec})`;
    const number = codec!.startsWith('Delta') ? `UInt64 CODEC(${codec})` : 'UInt64';
    await clickhouse(
      stack.endpoints,
      `CREATE TABLE ${db}.${table} (id ${number}, version UInt64, name ${type})
       ENGINE = ReplacingMergeTree(version) ORDER BY id
       SETTINGS min_bytes_for_wide_part = ${table === 'merged' ? '1000000000' : '0'} COMMENT '${comment}'`,
    );
  }
  await insert('_rows_people', plant('row'));
  await insert('_rows_people', 'a newer row');
  await insert('packed', wrapped(plant('zstd column')));
  await insert('merged', wrapped(plant('inactive part')));
  await insert('merged', 'a newer row');
  await clickhouse(stack.endpoints, `OPTIMIZE TABLE ${db}.merged FINAL`);
  const active = await clickhouse(stack.endpoints, `SELECT name FROM ${db}.merged`);
  if (active.trim() !== 'a newer row') throw new Error('the older row is still in an active part');
  await insert('detached', wrapped(plant('detached part')));
  await clickhouse(stack.endpoints, `ALTER TABLE ${db}.detached DETACH PARTITION ID 'all'`);
  await insert('hidden', plant('row under a lightweight delete'));
  await clickhouse(stack.endpoints, `DELETE FROM ${db}.hidden WHERE id = 1`);
}

async function plantInRegistry(): Promise<void> {
  await wireEncoder(config.registry.url, `${config.name}.clean.public.people-value`, {
    type: 'record',
    name: 'people',
    doc: plant('schema'),
    fields: [{ name: 'id', type: 'long' }],
  });
}

async function plantInConnect(): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(database.url);
  const answer = await fetch(`${config.connect.url}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: config.name,
      initial_state: 'STOPPED',
      config: {
        'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
        'database.hostname': hostname,
        'database.port': port,
        'database.user': username,
        'database.password': decodeURIComponent(password),
        'database.dbname': pathname.slice(1),
        'topic.prefix': config.name,
        'plugin.name': 'pgoutput',
        note: plant('connector'),
      },
    }),
  });
  if (!answer.ok) throw new Error(`Connect answered with ${answer.status}`);
  undo.push(() => fetch(`${config.connect.url}/connectors/${config.name}`, { method: 'DELETE' }));
}

async function plantInKeyStore(): Promise<void> {
  await fixtureKeyStore(database.url);
  await sql(database.url, `INSERT INTO lethe_keys.secrets (name) VALUES ('${plant('key store')}')`);
}

async function plantInLogs(): Promise<void> {
  logs = await mkdtemp(join(tmpdir(), 'scan-logs-'));
  undo.push(() => rm(logs, { recursive: true }));
  await writeFile(join(logs, 'server.log'), `info: started\nerror: ${JSON.stringify(plant('log line'))}\n`);
  await writeFile(join(logs, 'old.log.gz'), gzipSync(wrapped(plant('rotated log'))));
  await writeFile(join(logs, 'utf16.log'), Buffer.from(plant('utf-16 log'), 'utf16le'));
}

const found = (column: string): string[] =>
  reports.flatMap(({ findings }) =>
    findings.filter((f) => f.column === column).map((f) => `${f.place}: ${f.where} (${f.form})`),
  );

/** What was planted -> where it must be found: the place and what its `where` holds. */
const expectations: [column: string, place: string, where: RegExp][] = [
  ['clean key', 'clean topics', /clean\.public\.people-0 offset 0 key/],
  ['clean value', 'clean topics', /offset 1 value/],
  ['header of a tombstone', 'clean topics', /offset 2 header 0/],
  ['name of a header', 'clean topics', /offset 3 name of header 0/],
  ['base64 in a value', 'clean topics', /offset 4 value \(base64\)/],
  ['clean value', 'kafka segment files', /clean\.public\.people-0\/0+\.log/],
  ['dead letter', 'dead letter topics', /deadletter\.public\.people-0 offset 0 header 0/],
  ...codecs.map((codec): [string, string, RegExp] => [
    codec,
    'kafka segment files',
    new RegExp(`packed\\.${codec}-0/0+\\.log batch at 0 \\(decompressed\\)`),
  ]),
  ['__consumer_offsets', 'kafka segment files', /__consumer_offsets-\d+\//],
  ['__transaction_state', 'kafka segment files', /__transaction_state-\d+\//],
  ['rolled back', 'kafka segment files', /clean\.public\.people-0\/0+\.log/],
  ['raw, purged', 'kafka segment files', /behind the purged offset/],
  ['raw, purged hash', 'kafka segment files', /behind the purged offset/],
  ['raw, purged in a half-purged batch', 'kafka segment files', /offset 2, behind the purged offset/],
  ['raw, dropped', 'kafka segment files', /raw\.public\.people-0\/0+\.log batch at \d+ \(decompressed\)/],
  ['raw, unnamed', 'kafka segment files', /raw\.public\.people-0\/0+\.log batch at \d+ \(plain\)/],
  ['raw, nulled', 'kafka segment files', /raw\.public\.people-0\/0+\.log batch at \d+ \(plain\)/],
  ['mapping', 'elasticsearch documents', /_cluster\/state/],
  ['document', 'elasticsearch documents', /people-v1 document [0-9a-f]{12}/],
  ['document', 'elasticsearch files', /segment _\w+ terms of name.keyword/],
  ['stored field', 'elasticsearch documents', /people-v1 document/],
  ['stored field', 'elasticsearch files', /segment _\w+ stored fields/],
  ['tombstone document', 'elasticsearch documents', /people-v1 document/],
  ['deleted document', 'elasticsearch files', /segment _\w+ stored fields/],
  ['hex in a document', 'elasticsearch documents', /\(hex\)/],
  ['row', 'clickhouse rows', /_rows_people/],
  ['row', 'clickhouse files', /name\.bin/],
  ['zstd column', 'clickhouse rows', /packed/],
  ['zstd column', 'clickhouse files', /name\.bin \(decompressed\)/],
  ['inactive part', 'clickhouse files', /all_1_1_\d\/data\.bin \(decompressed\)/],
  ['detached part', 'clickhouse files', /detached\/.*name\.bin \(decompressed\)/],
  ['row under a lightweight delete', 'clickhouse rows', /hidden/],
  ['table comment', 'clickhouse rows', /system`?\.`?tables/],
  ['table comment', 'clickhouse files', /\.sql/],
  ['schema', 'schema registry', /\/subjects\/.*\/versions\/1/],
  ['connector', 'connect', /\/connectors\/.*\/config/],
  ['connector', 'kafka segment files', /connect/],
  ['key store', 'key store', /lethe_keys\.secrets/],
  ['log line', 'logs', /server\.log/],
  ['rotated log', 'logs', /old\.log\.gz \(unpacked\)/],
  ['utf-16 log', 'logs', /utf16\.log \(utf-16\)/],
];

test.each(expectations)('%s is found in %s', (column, place, where) => {
  expect(found(column).filter((line) => line.startsWith(`${place}: `))).toContainEqual(
    expect.stringMatching(where),
  );
});

test('what waits in a raw topic for the transform is no finding', () => {
  expect(found('raw, waiting')).toEqual([]);
  expect(found('raw, waiting too')).toEqual([]);
});

test('every place was read whole, and says how much it read', () => {
  expect(reports.flatMap(({ place, problems }) => problems.map((problem) => `${place}: ${problem}`))).toEqual(
    [],
  );
  for (const { place, bytes } of reports) expect(bytes, place).toBeGreaterThan(0);
  expect(isClean(reports)).toBe(false);
});

test('a report holds no planted value', () => {
  // Names of topics and tables hold the run's own number; what makes a canary does not get out.
  const text = JSON.stringify(reports);
  for (const { bytes } of canaries) expect(text).not.toContain(Buffer.from(bytes[0]!).toString().slice(-12));
});

test('what was planted nowhere is found nowhere', async () => {
  const canary: Canary = {
    table: 't',
    column: 'c',
    action: 'drop',
    bytes: [randomBytes(12), Buffer.from(`never-${run}`)],
  };
  const again = await scanForCanaries({
    places: pipelinePlaces(config, [contract], { logs: [logs] }),
    canaries: [canary],
  });
  expect(again.filter(({ found }) => found > 0)).toEqual([]);
  expect(again.filter(({ problems }) => problems.length > 0)).toEqual([]);
  expect(isClean(again)).toBe(true);
});

test('a server that does not answer, or a folder that is not there, is not clean', async () => {
  const away: Config = { ...config, elasticsearch: { url: 'http://127.0.0.1:1' } };
  const places = pipelinePlaces(away, [contract], { logs: [join(logs, 'not there')] });
  const chosen = places.filter(({ name }) => name === 'elasticsearch documents' || name === 'logs');
  const some = await scanForCanaries({ places: chosen, canaries: [] });
  expect(some.map(({ problems }) => problems.length)).toEqual([1, 1]);
  expect(isClean(some)).toBe(false);
});
