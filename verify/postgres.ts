import { Client, type ClientConfig } from 'pg';
import type { Tls } from '../schemas/config.ts';
import { VerifyError } from './verify-error.ts';

export interface PostgresOptions {
  readonly url: string;
  readonly password?: string | undefined;
  readonly tls?: Tls;
}

/** A row as Postgres prints it: no value is parsed, so none is rounded or moved to another zone. */
export type TextRow = Readonly<Record<string, string | null>>;

const asText = { getTypeParser: () => (value: string) => value };

/** Prints instants in UTC, dates as ISO, intervals as ISO 8601, bytes in hex, floats so that they read back equal. */
const session = `
  SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';
  SET bytea_output = 'hex'; SET extra_float_digits = 1`;

/** Runs `use` in one read-only snapshot of the database. */
export async function withSnapshot<T>(
  options: PostgresOptions,
  what: string,
  use: (query: (sql: string, values?: unknown[]) => Promise<TextRow[]>) => Promise<T>,
): Promise<T> {
  // Not as `connectionString`: what it lacks, a password above all, pg would take for given as nothing.
  const url = new URL(options.url);
  const config: ClientConfig = {
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: options.password ?? decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    types: asText,
  };
  if (typeof options.tls === 'object') {
    const { verify, ca, cert, key } = options.tls;
    config.ssl = {
      rejectUnauthorized: verify,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
    };
  } else if (options.tls !== undefined) {
    config.ssl = options.tls;
  }
  const client = new Client(config);
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(session);
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new VerifyError('SERVER_FAILED', `${what} cannot be read (${codeOf(error)})`);
  }
  try {
    return await use(async (sql, values = []) => {
      try {
        return (await client.query<Record<string, string | null>>(sql, values)).rows;
      } catch (error) {
        throw new VerifyError('SERVER_FAILED', `${what} refused a query (${codeOf(error)})`);
      }
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The driver's code alone: its message may quote a value. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : 'no code';
}
