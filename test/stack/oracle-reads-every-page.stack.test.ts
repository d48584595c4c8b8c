import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../schemas/config.ts';
import type { Contract } from '../../schemas/contract.ts';
import { comparePipeline } from '../../verify/compare.ts';
import { acquireStack, freshDatabase, type TestDatabase, type TestStack } from '../support/stack.ts';
import {
  clickhouse,
  elasticsearch,
  fixtureConfig,
  kafkaOf,
  sql,
  wireEncoder,
} from '../support/verify-fixture.ts';

/** More than a page of Postgres' cursor, ten of Elasticsearch's, and several fetches of a partition. */
const rowCount = 12_000;
const filler = 'x'.repeat(1_000);
const keep = { classification: 'internal', action: 'keep' } as const;
const contract: Contract = {
  table: 'public.items',
  owner: 'tests',
  tier: 1,
  sinks: ['elasticsearch', 'clickhouse'],
  staleness: '30s',
  columns: { id: keep, note: keep },
};
/** Rows that are wrong: one in each place, far apart, and never on the first page. */
const wrong = { topic: 11_999, elasticsearch: 7_777, clickhouse: 6_001 } as const;

let stack: TestStack;
let database: TestDatabase;
let config: Config;
const undo: (() => Promise<unknown>)[] = [];
const note = (id: number, place: keyof typeof wrong): string =>
  `${filler} ${wrong[place] === id ? 'wrong' : id}`;

beforeAll(async () => {
  stack = await acquireStack();
  database = await freshDatabase(stack.endpoints, 'pages');
  undo.push(() => database.drop());
  config = fixtureConfig(stack.endpoints, `pages_${randomBytes(4).toString('hex')}`, database.url);
  await sql(
    database.url,
    'CREATE TABLE items (id int PRIMARY KEY, note text NOT NULL)',
    `INSERT INTO items SELECT id, '${filler} ' || id FROM generate_series(1, ${rowCount}) id`,
  );
  await fillTopic();
  await fillElasticsearch();
  await fillClickhouse();
});

afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

const ids = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function fillTopic(): Promise<void> {
  const topic = `${config.name}.clean.public.items`;
  const kafka = kafkaOf(stack.endpoints);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] });
  undo.push(async () => {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  });
  const encode = await wireEncoder(config.registry.url, `${topic}-value`, {
    type: 'record',
    name: 'items',
    fields: [
      { name: 'id', type: 'int' },
      { name: 'note', type: 'string' },
    ],
  });
  const producer = kafka.producer({ transactionalId: config.name, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  // Every other transaction is rolled back: read committed must pass over each of them, and over nothing else.
  for (let from = 1; from <= rowCount; from += 500) {
    for (const commit of [false, true]) {
      const transaction = await producer.transaction();
      const messages = ids(from, from + 500).map((id) => ({
        key: String(id),
        value: encode({ id, note: commit ? note(id, 'topic') : 'rolled back' }),
        partition: id % 2,
      }));
      await transaction.send({ topic, messages });
      await (commit ? transaction.commit() : transaction.abort());
    }
  }
  await producer.disconnect();
}

async function fillElasticsearch(): Promise<void> {
  const index = `${config.name}-items-v1`;
  await elasticsearch(stack.endpoints, 'PUT', `/${index}`, {
    mappings: { dynamic: false },
    aliases: { [`${config.name}-items`]: {} },
  });
  undo.push(() => elasticsearch(stack.endpoints, 'DELETE', `/${index}`));
  for (let from = 1; from <= rowCount; from += 2_000) {
    const lines = ids(from, from + 2_000).flatMap((id) => [
      JSON.stringify({ index: { _id: String(id) } }),
      JSON.stringify({ id, note: note(id, 'elasticsearch'), _lethe: { key: String(id), deleted: false } }),
    ]);
    const answer = await elasticsearch(stack.endpoints, 'POST', `/${index}/_bulk`, `${lines.join('\n')}\n`);
    expect(answer['errors']).toBe(false);
  }
}

async function fillClickhouse(): Promise<void> {
  const db = config.name;
  await clickhouse(stack.endpoints, `CREATE DATABASE ${db}`);
  undo.push(() => clickhouse(stack.endpoints, `DROP DATABASE ${db} SYNC`));
  await clickhouse(
    stack.endpoints,
    `CREATE TABLE ${db}._rows_items (id Int32, note String, _lethe_version UInt256) ENGINE = MergeTree ORDER BY id`,
  );
  await clickhouse(
    stack.endpoints,
    `INSERT INTO ${db}._rows_items
     SELECT number + 1, concat('${filler} ', if(number + 1 = ${wrong.clickhouse}, 'wrong', toString(number + 1))), 1
     FROM numbers(${rowCount})`,
  );
  await clickhouse(stack.endpoints, `CREATE VIEW ${db}.items AS SELECT * FROM ${db}._rows_items`);
}

test('every row of every page is compared, and the one that is wrong is found in each place', async () => {
  const [comparison] = await comparePipeline(config, [contract]);
  expect(comparison!.places.map(({ place }) => place)).toEqual([
    'clean topic',
    'elasticsearch',
    'clickhouse',
  ]);
  for (const { counts, columns } of comparison!.places) {
    expect(counts).toEqual({
      source: rowCount,
      found: rowCount,
      compared: rowCount,
      equal: rowCount - 1,
      missing: 0,
      extra: 0,
      different: 1,
    });
    expect([...columns]).toEqual([['note', 1]]);
  }
});
