import { createCipheriv, createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import avro from 'avsc';
import { type Config, configShape } from '../../schemas/config.ts';
import type { TestEndpoints } from './stack.ts';

/**
 * Writes what the pipeline is to write, straight from the written rules and with none of its code, so that the oracle
 * can be tested with outputs that are right, and with outputs that are wrong in one place.
 */

export const masterKey = randomBytes(32);
export const pseudonymKey = randomBytes(32);

export function fixtureConfig(endpoints: TestEndpoints, name: string, url: string): Config {
  return configShape.parse({
    name,
    postgres: { url },
    kafka: endpoints.kafka,
    connect: endpoints.connect,
    registry: endpoints.registry,
    elasticsearch: endpoints.elasticsearch,
    clickhouse: endpoints.clickhouse,
    keys: { url, masterKey: masterKey.toString('base64') },
    topics: { prefix: `${name}.`, partitions: 2 },
  });
}

export async function sql(url: string, ...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export interface FixtureKey {
  readonly id: string;
  readonly generation: number;
  readonly key: Buffer;
}

/** Makes the key store with the pseudonym key; returns a function that adds a subject's data key. */
export async function fixtureKeyStore(
  url: string,
): Promise<(type: string, id: string) => Promise<FixtureKey>> {
  await sql(
    url,
    'CREATE SCHEMA lethe_keys',
    `CREATE TABLE lethe_keys.data_keys (key_id uuid PRIMARY KEY, generation int, subject_type text,
       subject_digest bytea, wrapped bytea, master_version int, created_at timestamptz DEFAULT now(),
       destroyed_at timestamptz)`,
    'CREATE TABLE lethe_keys.secrets (name text PRIMARY KEY, wrapped bytea, master_version int)',
    `INSERT INTO lethe_keys.secrets VALUES ('pseudonym', '\\x${wrap(pseudonymKey, 'pseudonym', 0)}', 1)`,
  );
  return async (type, id) => {
    const made: FixtureKey = { id: randomUUID(), generation: 1, key: randomBytes(32) };
    const digest = createHmac('sha256', derive(masterKey, 'lethe/index/v1'))
      .update(`${type}\n${id}`)
      .digest('hex');
    await sql(
      url,
      `INSERT INTO lethe_keys.data_keys VALUES ('${made.id}', 1, '${type}', '\\x${digest}',
         '\\x${wrap(made.key, made.id, 1)}', 1)`,
    );
    return made;
  };
}

function derive(key: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), info, 32));
}

function wrap(key: Buffer, name: string, generation: number): string {
  const nonce = randomBytes(12);
  const sealed = seal(
    derive(masterKey, 'lethe/wrap/v1'),
    nonce,
    key,
    `lethe/wrap/v1\n${name}\n${generation}`,
  );
  return Buffer.concat([Buffer.from([1]), nonce, sealed]).toString('hex');
}

function seal(key: Buffer, nonce: Buffer, plain: Buffer, associated: string): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(associated));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** An encrypted value; `place` is table, column, subject type and subject id. */
export function encrypted(
  key: FixtureKey,
  plain: Buffer,
  place: readonly [table: string, column: string, type: string, id: string],
  nonce = randomBytes(12),
): Buffer {
  const generation = Buffer.alloc(4);
  generation.writeUInt32BE(key.generation);
  return Buffer.concat([
    Buffer.from([1]),
    Buffer.from(key.id.replaceAll('-', ''), 'hex'),
    generation,
    nonce,
    seal(key.key, nonce, plain, `lethe/v1\n${place.join('\n')}`),
  ]);
}

/** A pseudonym under a column's own key. */
export function pseudonym(table: string, column: string, text: string): string {
  const key = derive(pseudonymKey, `lethe/pseudonym/v1/column/${table}/${column}`);
  return createHmac('sha256', key).update(text).digest('base64url');
}

const int64 = avro.types.LongType.__with({
  fromBuffer: (b: Buffer) => b.readBigInt64LE(),
  toBuffer: (n: bigint) => {
    const b = Buffer.alloc(8);
    b.writeBigInt64LE(n);
    return b;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (n: unknown) => typeof n === 'bigint',
  compare: () => 0,
});

/** Registers a schema and gives an encoder to Confluent's wire format. */
export async function wireEncoder(
  registryUrl: string,
  subject: string,
  schema: object,
): Promise<(record: object) => Buffer> {
  const answer = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  const { id } = (await answer.json()) as { id: number };
  const type = avro.Type.forSchema(schema as avro.Schema, {
    typeHook: (part) => (isLong(part) ? int64 : undefined),
    wrapUnions: 'never' as never,
  });
  return (record) => {
    const head = Buffer.alloc(5);
    head.writeInt32BE(id, 1);
    return Buffer.concat([head, type.toBuffer(record)]);
  };
}

function isLong(schema: unknown): boolean {
  return schema === 'long' || (schema as { type?: unknown }).type === 'long';
}

export function kafkaOf(endpoints: TestEndpoints): Kafka {
  return new Kafka({ brokers: [...endpoints.kafka.brokers], logLevel: logLevel.NOTHING });
}

export async function clickhouse(endpoints: TestEndpoints, statement: string): Promise<string> {
  const url = new URL(endpoints.clickhouse.url);
  const authorization = `Basic ${Buffer.from(`${url.username}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  const answer = await fetch(`${url.origin}/`, {
    method: 'POST',
    headers: { authorization },
    body: statement,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`ClickHouse: ${text}`);
  return text;
}

export async function elasticsearch(
  endpoints: TestEndpoints,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${endpoints.elasticsearch.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: text }),
  });
  const json = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(`Elasticsearch: ${JSON.stringify(json)}`);
  return json;
}
