import { randomBytes } from 'node:crypto';
import type { Kafka, Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../schemas/config.ts';
import { allEqual, comparePipeline, type TableComparison } from '../../verify/compare.ts';
import {
  avroSchema,
  clickhouseColumns,
  contract,
  ddl,
  inserts,
  keys,
  table,
} from '../support/people-fixture.ts';
import { acquireStack, freshDatabase, type TestDatabase, type TestStack } from '../support/stack.ts';
import {
  clickhouse,
  elasticsearch,
  encrypted,
  type FixtureKey,
  fixtureConfig,
  fixtureKeyStore,
  kafkaOf,
  pseudonym,
  sql,
  wireEncoder,
} from '../support/verify-fixture.ts';

let stack: TestStack;
let database: TestDatabase;
let config: Config;
let kafka: Kafka;
let producer: Producer;
let encode: (record: object) => Buffer;
let alice: FixtureKey;
let third: FixtureKey;
let name: Buffer;
let born: Buffer;
let emptyName: Buffer;
const nameOf = [table, 'name', 'person.name'] as const;
const topicOf = (): string => `${config.name}.clean.public.people`;
const index = (): string => `/${config.name}-people-v1`;
const rows = (): string => `${config.name}._rows_people`;

/** The three rows as they are in the clean topic. */
function records(): Record<string, unknown>[] {
  const none = Object.fromEntries(avroSchema.fields.map((field) => [field.name, null]));
  return [
    {
      ...none,
      tenant: 'eu|1',
      id: 9223372036854775807n,
      name,
      born,
      email: pseudonym(alice, table, 'email', 'a@example.org'),
      iban: 'DE****3000',
      balance: '1234.50',
      small: Math.fround(0.1),
      flag: true,
      seen: '2024-02-29T10:00:00.500000Z',
      local: 1709208000123456n,
      day: -25567,
      at: 86_400_000_000n,
      doc: '{"a": [1.50, 12345678901234567890]}',
      blob: Buffer.from([0, 255]),
      tags: ['a', 'b,c', null],
      nums: [9007199254740993n],
      uid: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      exact: '0.00000001',
    },
    { ...none, tenant: '', id: -1n },
    { ...none, tenant: 'eu', id: 3n, name: emptyName, iban: '****', tags: [] },
  ];
}

/** The same rows as documents, in JSON text (a number of 19 digits must be written as it is). */
function documents(): string[] {
  const own = (key: string): string =>
    `"_lethe":{"key":${JSON.stringify(key)},"version":"1","deleted":false}`;
  return [
    `{"tenant":"eu|1","id":9223372036854775807,"name":"${name.toString('base64')}","born":"${born.toString('base64')}",
      "email":"${pseudonym(alice, table, 'email', 'a@example.org')}","iban":"DE****3000","nick":null,"balance":"1234.50",
      "small":0.10000000149011612,"flag":true,"seen":"2024-02-29T10:00:00.500000Z",
      "local":"2024-02-29T12:00:00.123456","day":"1900-01-01","at":"24:00:00.000000",
      "doc":"{\\"a\\": [1.50, 12345678901234567890]}","blob":"AP8=","tags":["a","b,c",null],"nums":[9007199254740993],
      "uid":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","exact":"0.00000001",${own(keys[0])}}`,
    `{"tenant":"","id":-1,${own(keys[1])}}`,
    `{"tenant":"eu","id":3,"name":"${emptyName.toString('base64')}","iban":"****","tags":[],${own(keys[2])}}`,
  ].map((text) => text.replaceAll(/\n\s*/g, ''));
}

async function produce(messages: { key: string; value: Buffer | null }[], commit = true): Promise<void> {
  const transaction = await producer.transaction();
  await transaction.send({
    topic: topicOf(),
    messages: messages.map((message) => ({ ...message, partition: 0 })),
  });
  await (commit ? transaction.commit() : transaction.abort());
}

const putDocument = (place: number, text = documents()[place]!): Promise<unknown> =>
  elasticsearch(
    stack.endpoints,
    'PUT',
    `${index()}/_doc/${encodeURIComponent(keys[place]!)}?refresh=true`,
    text,
  );

async function insertRow(place: number, version: number, changes = '', deleted = 0): Promise<void> {
  const source = JSON.parse(
    documents()[place]!.replace('9223372036854775807', '"9223372036854775807"'),
  ) as object;
  const row = { ...source, _lethe: undefined, ...(JSON.parse(changes || '{}') as object) };
  const line = JSON.stringify({ ...row, _lethe_version: String(version), _lethe_deleted: deleted });
  await clickhouse(
    stack.endpoints,
    `INSERT INTO ${rows()} SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow ${line.replace('9007199254740992', '9007199254740993')}`,
  );
}

beforeAll(async () => {
  stack = await acquireStack();
  database = await freshDatabase(stack.endpoints, 'oracle');
  config = fixtureConfig(stack.endpoints, `oracle_${randomBytes(4).toString('hex')}`, database.url);
  await sql(database.url, ddl, ...inserts);
  const addKey = await fixtureKeyStore(database.url);
  alice = await addKey('person', '9223372036854775807');
  third = await addKey('person', '3');
  name = encrypted(alice, Buffer.from('\x10Alice ë'), nameOf);
  born = encrypted(alice, Buffer.from([0x90, 0xac, 0x01]), [table, 'born', 'person.birth']);
  emptyName = encrypted(third, Buffer.from([0]), nameOf);

  kafka = kafkaOf(stack.endpoints);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: topicOf(), numPartitions: 2, replicationFactor: 1 }] });
  await admin.disconnect();
  encode = await wireEncoder(config.registry.url, `${topicOf()}-value`, avroSchema);
  producer = kafka.producer({ transactionalId: config.name, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const [first, second, last] = records();
  await produce([{ key: keys[1], value: encode({ ...second, iban: 'DE****3000' }) }]);
  await produce([{ key: keys[1], value: encode({ ...second, iban: 'rolled back' }) }], false);
  await produce([
    { key: keys[0], value: encode(first!) },
    { key: keys[1], value: encode(second!) },
    { key: keys[2], value: encode(last!) },
    { key: 'deleted|7', value: encode({ ...last, tenant: 'deleted', id: 7n, name: null }) },
    { key: 'deleted|7', value: null },
  ]);
  await produce([{ key: keys[2], value: encode({ ...last, iban: 'rolled back' }) }], false);

  await elasticsearch(stack.endpoints, 'PUT', index(), {
    mappings: { dynamic: false, properties: { _lethe: { properties: { deleted: { type: 'boolean' } } } } },
    aliases: {
      [`${config.name}-people`]: { filter: { bool: { must_not: { term: { '_lethe.deleted': true } } } } },
    },
  });
  for (const at of keys.keys()) await putDocument(at);
  await elasticsearch(stack.endpoints, 'PUT', `${index()}/_doc/deleted%7C7?refresh=true`, {
    _lethe: { key: 'deleted|7', version: '2', deleted: true },
  });

  await clickhouse(stack.endpoints, `CREATE DATABASE ${config.name}`);
  await clickhouse(
    stack.endpoints,
    `CREATE TABLE ${rows()} (${clickhouseColumns}) ENGINE = ReplacingMergeTree(_lethe_version, _lethe_deleted)
     ORDER BY (tenant, id)`,
  );
  await clickhouse(
    stack.endpoints,
    `CREATE VIEW ${config.name}.people AS SELECT * EXCEPT (_lethe_deleted) FROM ${rows()} FINAL WHERE _lethe_deleted = 0`,
  );
  for (const at of keys.keys()) await insertRow(at, 2);
  await insertRow(2, 1, '{"iban":"an older one"}');
  await insertRow(2, 3, '{"tenant":"deleted","id":7}', 1);
});

afterAll(async () => {
  await producer?.disconnect();
  if (config) {
    await clickhouse(stack.endpoints, `DROP DATABASE IF EXISTS ${config.name}`);
    await elasticsearch(stack.endpoints, 'DELETE', index());
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [topicOf()] });
    await admin.disconnect();
  }
  await database?.drop();
});

async function compare(): Promise<TableComparison> {
  const [comparison] = await comparePipeline(config, [contract]);
  return comparison!;
}

/** What differs, as `place kind columns`, one line a row. */
function told(comparison: TableComparison): string[] {
  return comparison.places.flatMap(({ place, findings }) =>
    findings.map(({ kind, columns }) =>
      [place, kind, ...columns.map((c) => `${c.name}: ${c.why}`)].join(' '),
    ),
  );
}

test('outputs that follow the rules are equal, row by row and value by value', async () => {
  const comparison = await compare();
  expect(told(comparison)).toEqual([]);
  expect(allEqual([comparison])).toBe(true);
  expect(comparison.rows).toBe(3);
  expect(comparison.places.map(({ place }) => place)).toEqual(['clean topic', 'elasticsearch', 'clickhouse']);
  for (const { counts, values, decrypted } of comparison.places) {
    expect(counts).toEqual({
      source: 3,
      found: 3,
      compared: 3,
      equal: 3,
      missing: 0,
      extra: 0,
      different: 0,
    });
    expect(values).toBe(60);
    expect(decrypted).toBe(3);
  }
});

const inDocument = (from: string | RegExp, to: string) => () =>
  putDocument(0, documents()[0]!.replace(from, to));

test.each([
  ['another value', inDocument('"1234.50"', '"1234.5"'), 'balance: value'],
  ['one microsecond', inDocument('12:00:00.123456', '12:00:00.123457'), 'local: value'],
  ['the last of 19 digits', inDocument('"id":9223372036854775807', '"id":9223372036854775806'), 'id: value'],
  ['a null', inDocument('"flag":true', '"flag":null'), 'flag: null'],
  ['a nulled column with its value', inDocument('"nick":null', '"nick":"nick"'), 'nick: not null'],
  ['a dropped column', inDocument('"flag"', '"gone":"secret","flag"'), 'gone: unexpected'],
  ['an unnamed column', inDocument('"flag"', '"unnamed":"x","flag"'), 'unnamed: unexpected'],
  ['a value in the clear', inDocument(/"email":"[^"]*"/, '"email":"a@example.org"'), 'email: value'],
  ['a value not encrypted', inDocument(/"name":"[^"]*"/, '"name":"QWxpY2U="'), 'name: not a ciphertext'],
  ['a wrong key', inDocument('"key":"eu%7C1|', '"key":"eu|1|'), undefined],
])('%s in a document is named', async (_what, alter, column) => {
  await alter();
  try {
    const expected = column
      ? [`elasticsearch different ${column}`]
      : ['elasticsearch extra', 'elasticsearch missing'];
    expect(told(await compare())).toEqual(expected);
  } finally {
    await putDocument(0);
  }
});

test('a document that is missing, and one too many', async () => {
  const path = `${index()}/_doc/${encodeURIComponent(keys[1])}`;
  await elasticsearch(stack.endpoints, 'DELETE', `${path}?refresh=true`);
  expect(told(await compare())).toEqual(['elasticsearch missing']);
  await putDocument(1);
  const more = documents()[1]!.replace('"key":"%00|-1"', '"key":"ghost|1"');
  await elasticsearch(stack.endpoints, 'PUT', `${index()}/_doc/ghost%7C1?refresh=true`, more);
  expect(told(await compare())).toEqual(['elasticsearch extra']);
  await elasticsearch(stack.endpoints, 'DELETE', `${index()}/_doc/ghost%7C1?refresh=true`);
  expect(told(await compare())).toEqual([]);
});

test('a row of ClickHouse that differs, is missing, or is one too many', async () => {
  await insertRow(0, 3, '{"nums":[1],"iban":"DE893****3000"}');
  expect(told(await compare())).toEqual(['clickhouse different iban: value nums: value']);
  await insertRow(0, 4, '{}', 1);
  expect(told(await compare())).toEqual(['clickhouse missing']);
  await insertRow(0, 5);
  await insertRow(2, 4, '{"tenant":"deleted","id":7}');
  expect(told(await compare())).toEqual(['clickhouse extra']);
  await insertRow(2, 5, '{"tenant":"deleted","id":7}', 1);
  expect(told(await compare())).toEqual([]);
});

test('a record of the clean topic that differs, is missing, or is one too many', async () => {
  const [, second] = records();
  await produce([{ key: keys[1], value: encode({ ...second, seen: '2024-02-29T10:00:00Z' }) }]);
  expect(told(await compare())).toEqual(['clean topic different seen: not null']);
  await produce([{ key: keys[1], value: null }]);
  expect(told(await compare())).toEqual(['clean topic missing']);
  await produce([
    { key: keys[1], value: encode(second!) },
    { key: 'ghost|1', value: encode(second!) },
  ]);
  expect(told(await compare())).toEqual(['clean topic extra']);
  await produce([
    { key: 'ghost|1', value: null },
    { key: keys[1], value: Buffer.from('not Avro') },
  ]);
  expect((await compare()).places[0]!.counts.different).toBe(1);
  await produce([{ key: keys[1], value: encode(second!) }]);
  expect(told(await compare())).toEqual([]);
});

test("a ciphertext in another person's row, and one under another person's key, are named", async () => {
  const [, , last] = records();
  await produce([{ key: keys[2], value: encode({ ...last, name }) }]);
  expect(told(await compare())).toEqual(['clean topic different name: a nonce was used twice']);
  const elsewhere = encrypted(alice, Buffer.from([0]), nameOf);
  await produce([{ key: keys[2], value: encode({ ...last, name: elsewhere }) }]);
  expect(told(await compare())).toContain(
    "clean topic different name: an encrypted value is under another subject's key",
  );
  const forBorn = encrypted(third, Buffer.from([0]), [table, 'born', 'person.birth']);
  await produce([{ key: keys[2], value: encode({ ...last, name: forBorn }) }]);
  expect(told(await compare())).toContain(
    'clean topic different name: a ciphertext does not open under its key and place',
  );
});

test('a nonce that was used twice is named, also in a record that was replaced since', async () => {
  const [, , last] = records();
  const nonce = randomBytes(12);
  const once = encrypted(third, Buffer.from('\x02a'), nameOf, nonce);
  const twice = encrypted(third, Buffer.from('\x02b'), nameOf, nonce);
  await produce([
    { key: keys[2], value: encode({ ...last, name: once }) },
    { key: keys[2], value: encode({ ...last, name: twice }) },
    { key: keys[2], value: encode(last!) },
  ]);
  const comparison = await compare();
  expect(told(comparison)).toContain('clean topic different name: a nonce was used twice');
  expect(allEqual([comparison])).toBe(false);
});

test('a report holds no value and no key of a row', async () => {
  await putDocument(0, documents()[0]!.replace('"flag"', '"gone":"secret","flag"'));
  const text = JSON.stringify(await compare());
  for (const value of ['Alice', 'secret', 'example.org', 'DE89', 'eu%7C1', '9223372036854775807']) {
    expect(text).not.toContain(value);
  }
  await putDocument(0);
});

test('a store that does not answer proves nothing', async () => {
  const away = { ...config, elasticsearch: { url: 'http://127.0.0.1:1' } };
  await expect(comparePipeline(away, [contract])).rejects.toThrow('Elasticsearch (alias');
});
