import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@clickhouse/client';
import { Client as Elasticsearch } from '@elastic/elasticsearch';
import { Kafka, logLevel } from 'kafkajs';
import { Client as Postgres } from 'pg';
import type { Endpoints } from '../../stack/endpoints.ts';

/** What was written to each server, as it is read back. */
export interface Witness {
  readonly postgres: string[];
  readonly kafka: string[];
  readonly connect: string[];
  readonly registry: string[];
  readonly elasticsearch: string[];
  readonly clickhouse: string[];
}

const TOPIC = 'witness';
const CONNECTOR = 'witness';
const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'witness',
  fields: [{ name: 'word', type: 'string' }],
});

/** Writes one word to every server, each in the way that the product writes to it. */
export async function writeWitness(endpoints: Endpoints, word: string): Promise<void> {
  await withPostgres(endpoints, async (client) => {
    await client.query('CREATE TABLE IF NOT EXISTS witness (word text PRIMARY KEY)');
    await client.query('INSERT INTO witness VALUES ($1)', [word]);
  });
  await writeKafka(endpoints, word);
  const connector = {
    name: CONNECTOR + word,
    initial_state: 'STOPPED',
    config: connectorConfig(endpoints, word),
  };
  await send(`${endpoints.connect.url}/connectors`, connector, 'application/json');
  await send(
    `${endpoints.registry.url}/subjects/witness-${word}/versions`,
    { schema: SCHEMA },
    'application/vnd.schemaregistry.v1+json',
  );
  const elasticsearch = new Elasticsearch({ node: endpoints.elasticsearch.url });
  await elasticsearch.index({ index: 'witness', id: word, document: { word } });
  await elasticsearch.close();
  await withClickhouse(endpoints, async (client) => {
    await client.command({ query: 'CREATE DATABASE IF NOT EXISTS witness' });
    await client.command({
      query: 'CREATE TABLE IF NOT EXISTS witness.words (word String) ENGINE = MergeTree ORDER BY word',
    });
    await client.insert({ table: 'witness.words', values: [{ word }], format: 'JSONEachRow' });
  });
}

/** Reads back all words that each server holds, in alphabetical order. */
export async function readWitness(endpoints: Endpoints, kafkaCount: number): Promise<Witness> {
  const elasticsearch = new Elasticsearch({ node: endpoints.elasticsearch.url });
  await elasticsearch.indices.refresh({ index: 'witness' });
  const found = await elasticsearch.search<{ word: string }>({ index: 'witness', size: 100 });
  await elasticsearch.close();
  const connectors = (await (await fetch(`${endpoints.connect.url}/connectors`)).json()) as string[];
  const subjects = (await (await fetch(`${endpoints.registry.url}/subjects`)).json()) as string[];
  const strip = (names: string[], prefix: string): string[] => names.map((name) => name.slice(prefix.length));
  return {
    postgres: await withPostgres(endpoints, async (client) =>
      (await client.query<{ word: string }>('SELECT word FROM witness ORDER BY word')).rows.map(
        ({ word }) => word,
      ),
    ),
    kafka: await readKafka(endpoints, kafkaCount),
    connect: strip(connectors, CONNECTOR).toSorted(),
    registry: strip(subjects, 'witness-').toSorted(),
    elasticsearch: found.hits.hits.map((hit) => hit._source?.word ?? '').toSorted(),
    clickhouse: await withClickhouse(endpoints, async (client) => {
      const rows = await client.query({
        query: 'SELECT word FROM witness.words ORDER BY word',
        format: 'JSONEachRow',
      });
      return (await rows.json<{ word: string }>()).map(({ word }) => word);
    }),
  };
}

/** The same words in every server. */
export function wordsEverywhere(words: string[]): Witness {
  return {
    postgres: words,
    kafka: words,
    connect: words,
    registry: words,
    elasticsearch: words,
    clickhouse: words,
  };
}

function connectorConfig(endpoints: Endpoints, word: string): Record<string, string> {
  const postgres = new URL(endpoints.postgres.url);
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': postgres.hostname,
    'database.port': postgres.port,
    'database.user': postgres.username,
    'database.password': postgres.password,
    'database.dbname': 'postgres',
    'topic.prefix': word,
    'plugin.name': 'pgoutput',
  };
}

function kafkaOf(endpoints: Endpoints): Kafka {
  return new Kafka({ brokers: [...endpoints.kafka.brokers], logLevel: logLevel.NOTHING });
}

async function writeKafka(endpoints: Endpoints, word: string): Promise<void> {
  const kafka = kafkaOf(endpoints);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic: TOPIC, acks: -1, messages: [{ key: word, value: word }] });
  await producer.disconnect();
}

async function readKafka(endpoints: Endpoints, count: number): Promise<string[]> {
  const consumer = kafkaOf(endpoints).consumer({ groupId: `witness-${Date.now()}`, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  const words: string[] = [];
  await consumer.run({
    eachMessage: ({ message }) => {
      words.push(String(message.value));
      return Promise.resolve();
    },
  });
  while (words.length < count) await delay(50); // the test's own limit bounds it
  await consumer.disconnect();
  return words.toSorted();
}

async function withPostgres<T>(endpoints: Endpoints, work: (client: Postgres) => Promise<T>): Promise<T> {
  const client = new Postgres({ connectionString: endpoints.postgres.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function withClickhouse<T>(
  endpoints: Endpoints,
  work: (client: ReturnType<typeof createClient>) => Promise<T>,
): Promise<T> {
  const client = createClient({ url: endpoints.clickhouse.url });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Connect answers 409 while its workers share out their work anew, also right after they have started. */
async function send(url: string, body: unknown, type: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify(body),
    });
    if (answer.ok) return;
    if (answer.status !== 409 || Date.now() > deadline) {
      throw new Error(`${new URL(url).pathname} answered ${answer.status}`);
    }
    await delay(200);
  }
}
