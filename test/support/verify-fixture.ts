import { createCipheriv, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll } from 'vitest';
import { Client } from 'pg';
import avro from 'avsc';
import { type Config, configShape } from '../../schemas/config.ts';
import type { TestEndpoints } from './stack.ts';

/**
 * Writes what the pipeline is to write, straight from the written rules and with none of its code, so that the oracle
 * can be tested with outputs that are right, and with outputs that are wrong in one place.
 */

const folder = mkdtempSync(join(tmpdir(), 'lethe-fixture-'));
const masterFile = join(folder, 'master.json');
const [masterKey, epochKey, indexRoot, sharedRoot] = [0, 1, 2, 3].map(() => randomBytes(32)) as Four;
type Four = [Buffer, Buffer, Buffer, Buffer];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export function fixtureConfig(endpoints: TestEndpoints, name: string, url: string): Config {
  return configShape.parse({
    name,
    postgres: { url },
    kafka: endpoints.kafka,
    connect: endpoints.connect,
    registry: endpoints.registry,
    elasticsearch: endpoints.elasticsearch,
    clickhouse: endpoints.clickhouse,
    keys: { url, master: { kind: 'local', file: masterFile } },
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
  /** Of this generation, then of all of them. */
  readonly roots: Buffer;
}

/** Makes the key store with its epoch and secrets; returns a function that adds a subject's data key. */
export async function fixtureKeyStore(
  url: string,
): Promise<(type: string, id: string) => Promise<FixtureKey>> {
  const store = randomUUID();
  const epoch = seal(masterKey, randomBytes(12), epochKey, prefixed('lethe/epoch/v2', store, '1'));
  writeFileSync(masterFile, JSON.stringify({ format: 1, keys: { fixture: masterKey.toString('base64') } }), {
    mode: 0o600,
  });
  await sql(
    url,
    'CREATE SCHEMA lethe_keys',
    'CREATE TABLE lethe_keys.store (id uuid, format int)',
    `INSERT INTO lethe_keys.store VALUES ('${store}', 2)`,
    'CREATE TABLE lethe_keys.epochs (epoch int, master_name text, wrapped bytea)',
    `INSERT INTO lethe_keys.epochs VALUES (1, 'fixture', '\\x${epoch.toString('hex')}')`,
    `CREATE TABLE lethe_keys.subjects (subject_type text, purpose text, subject_digest bytea, key_id uuid)`,
    'CREATE TABLE lethe_keys.data_keys (key_id uuid, generation int, wrapped bytea, epoch int)',
    'CREATE TABLE lethe_keys.secrets (name text PRIMARY KEY, wrapped bytea, epoch int)',
    'CREATE TABLE lethe_keys.suppressed (subject_type text, subject_digest bytea)',
    `INSERT INTO lethe_keys.secrets VALUES ('shared', '\\x${wrap(sharedRoot, 'shared', 0)}', 1),
       ('index', '\\x${wrap(indexRoot, 'index', 0)}', 1)`,
  );
  return async (type, id) => {
    const made: FixtureKey = { id: randomUUID(), generation: 1, roots: randomBytes(64) };
    const digest = hmac(indexRoot, prefixed('lethe/subject/v2', type, '', id)).toString('hex');
    await sql(
      url,
      `INSERT INTO lethe_keys.subjects VALUES ('${type}', '', '\\x${digest}', '${made.id}')`,
      `INSERT INTO lethe_keys.data_keys VALUES ('${made.id}', 1, '\\x${wrap(made.roots, made.id, 1)}', 1)`,
    );
    return made;
  };
}

function prefixed(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function hmac(key: Buffer, data: Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** The first block of HKDF-Expand. */
function subkey(root: Buffer, ...use: readonly string[]): Buffer {
  return hmac(root, Buffer.concat([prefixed('lethe/subkey/v2', ...use), Buffer.from([1])]));
}

function wrap(key: Buffer, name: string, generation: number): string {
  const nonce = randomBytes(12);
  const context = prefixed('lethe/wrap/v2', '1', name, String(generation));
  return Buffer.concat([Buffer.from([2, 0, 0, 0, 1]), seal(epochKey, nonce, key, context)]).toString('hex');
}

function seal(key: Buffer, nonce: Buffer, plain: Buffer, associated: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** An encrypted value; `place` is table, column and classification. */
export function encrypted(
  key: FixtureKey,
  plain: Buffer,
  [table, column, classification]: readonly [table: string, column: string, classification: string],
  nonce = randomBytes(12),
): Buffer {
  const generation = Buffer.alloc(4);
  generation.writeUInt32BE(key.generation);
  const id = Buffer.from(key.id.replaceAll('-', ''), 'hex');
  return Buffer.concat([
    Buffer.from([2]),
    id,
    generation,
    seal(
      subkey(key.roots.subarray(0, 32), 'encrypt', table, classification),
      nonce,
      plain,
      prefixed('lethe/value/v2', table, column, id),
    ),
  ]);
}

/** A pseudonym under the subject's own key. */
export function pseudonym(key: FixtureKey, table: string, column: string, text: string): string {
  const own = subkey(key.roots.subarray(32), 'pseudonym', 'column', table, column);
  return hmac(own, Buffer.from(text)).toString('base64url');
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
