import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avsc from 'avsc';
import type { AvroSchema } from './clean-schema.ts';
import type { HttpEndpoint } from './config.ts';
import { LetheError } from './errors.ts';

const answerLimitMs = 30_000;

/** Reads schemas of a registry by the Confluent API (Confluent's own, Karapace, Apicurio). */
export class Registry {
  private client: SchemaRegistry;
  private readonly endpoint: HttpEndpoint;
  private readonly limitMs: number;

  constructor(endpoint: HttpEndpoint, limitMs = answerLimitMs) {
    this.endpoint = endpoint;
    this.limitMs = limitMs;
    this.client = clientOf(endpoint);
  }

  /** A writer schema by its id, names fully qualified. SCHEMA_UNKNOWN or UNREACHABLE. */
  async writerSchema(id: number): Promise<AvroSchema> {
    try {
      const type = (await this.ask((client) => client.getSchema(id))) as unknown as avsc.Type;
      return type.schema({ exportAttrs: true }) as AvroSchema;
    } catch (cause) {
      throw registryError(cause, `schema ${id}`);
    }
  }

  /** A decoder for the schema with this id: int64 as bigint, logical types as they are written. */
  async decoder(id: number): Promise<avsc.Type> {
    return avroType(await this.writerSchema(id));
  }

  /** Id under which the subject holds exactly this schema. */
  async idOf(subject: string, schema: AvroSchema): Promise<number> {
    try {
      return await this.ask((client) =>
        client.getRegistryIdBySchema(subject, {
          type: SchemaType.AVRO,
          schema: JSON.stringify(schema),
        }),
      );
    } catch (cause) {
      throw registryError(cause, `the schema of ${subject}`);
    }
  }

  /** The client knows no time limit, and gives whoever asks for a schema again the request that it has under way for it. */
  private async ask<T>(call: (client: SchemaRegistry) => Promise<T>): Promise<T> {
    const ended = new AbortController();
    const late = sleep(this.limitMs, undefined, { signal: ended.signal, ref: false }).then(() => {
      this.client = clientOf(this.endpoint);
      throw Object.assign(new Error('no answer'), { status: 504 });
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([call(this.client), late]);
    } finally {
      ended.abort();
    }
  }
}

function clientOf(endpoint: HttpEndpoint): SchemaRegistry {
  const { tls } = endpoint;
  const url = new URL(endpoint.url);
  const username = endpoint.username ?? decodeURIComponent(url.username);
  const password = endpoint.password ?? decodeURIComponent(url.password);
  url.username = '';
  url.password = '';
  return new SchemaRegistry({
    host: url.href.replace(/\/$/, ''),
    retry: { maxRetryTimeInSecs: 1, initialRetryTimeInSecs: 0.1, retries: 2 },
    ...(username ? { auth: { username, password } } : {}),
    ...(tls && tls !== true
      ? {
          agent: new Agent({
            rejectUnauthorized: tls.verify,
            ...(tls.ca ? { ca: tls.ca } : {}),
            ...(tls.cert ? { cert: tls.cert } : {}),
            ...(tls.key ? { key: tls.key } : {}),
          }),
        }
      : {}),
  });
}

/** avsc's type of a schema: int64 as bigint, logical types as they are written, unions unwrapped where avsc can. */
export function avroType(schema: AvroSchema): avsc.Type {
  return avsc.Type.forSchema(schema as avsc.Schema, {
    typeHook: (part) => {
      const name =
        typeof part === 'object' && !Array.isArray(part) ? (part as { type?: unknown }).type : part;
      return name === 'long' ? bigLong : undefined;
    },
  });
}

/** 64-bit integers as bigint: LSNs, int8 and microseconds do not fit a JavaScript number. */
const bigLong = avsc.types.LongType.__with({
  fromBuffer: (buf: Buffer) => buf.readBigInt64LE(),
  toBuffer: (n: bigint | number) => {
    const buf = Buffer.alloc(8);
    buf.writeBigInt64LE(BigInt(n));
    return buf;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (n: unknown) => typeof n === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

function registryError(cause: unknown, what: string): LetheError {
  const { status } = cause as { status?: unknown };
  if (status === 404 || status === 422) {
    return new LetheError('SCHEMA_UNKNOWN', `the registry does not know ${what}`, {
      fix: 'Run `lethe apply`.',
    });
  }
  if (status === 401 || status === 403)
    return new LetheError('AUTH_FAILED', 'the registry refused the credentials');
  // The client answers 400 also where nobody answered; what is no answer at all is a schema it could not read.
  if (typeof status === 'number')
    return new LetheError('UNREACHABLE', `the registry does not give ${what} (${status})`);
  return new LetheError('SCHEMA_UNEXPECTED', `${what} cannot be read`);
}
