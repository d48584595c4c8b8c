import { Client } from 'pg';
import { type PostgresEndpoint, postgresOptions } from '../../pipeline/postgres-options.ts';
import { type ErrorCode, LetheError } from '../../schemas/errors.ts';

/** Runs against the source over a connection of its own; every failure comes out as a LetheError. */
export async function withSource<T>(
  endpoint: PostgresEndpoint,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(postgresOptions(endpoint));
  // A connection that breaks between two statements must not end the process; the next statement fails.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (cause) {
    throw sourceError(endpoint, cause, 'connect');
  }
  try {
    return await use(client);
  } catch (cause) {
    throw cause instanceof LetheError ? cause : sourceError(endpoint, cause, 'query');
  } finally {
    await client.end().catch(() => {});
  }
}

/** From SQLSTATE or system code alone: a driver's text quotes values and, with some servers, credentials. */
export function sourceError(
  endpoint: PostgresEndpoint,
  cause: unknown,
  phase: 'connect' | 'query',
): LetheError {
  const raw = (cause as { code?: unknown } | null)?.code;
  const code = typeof raw === 'string' ? raw : '';
  const { hostname, port, pathname, username } = new URL(endpoint.url);
  const where = `Postgres at ${hostname}:${port === '' ? '5432' : port}`;
  const error = (kind: ErrorCode, message: string, fix: string): LetheError =>
    new LetheError(kind, message, { fix, cause: safeCause(code) });
  if (code === '28P01' || code === '28000') {
    return error(
      'AUTH_FAILED',
      `${where} refuses the role ${decodeURIComponent(username)}`,
      'Correct user and password in lethe.yaml, or pg_hba.conf.',
    );
  }
  if (code === '3D000') {
    return error(
      'CONFIG_INVALID',
      `${where} has no database ${decodeURIComponent(pathname.slice(1))}`,
      'Correct the database in the URL, or create it.',
    );
  }
  if (code === '42501') {
    return error(
      'SOURCE_UNFIT',
      `${where}: the role lacks a privilege (42501)`,
      'Run `lethe check`: it names it.',
    );
  }
  if (code === '55P03') {
    return error(
      'SERVER_FAILED',
      `${where}: a table stayed locked by another transaction (55P03)`,
      'Run the command again when the long transaction is done.',
    );
  }
  const isState = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57P');
  if (phase === 'query' && isState) {
    return error('SERVER_FAILED', `${where} answers with SQLSTATE ${code}`, "Look at Postgres' log.");
  }
  return error(
    'UNREACHABLE',
    `${where} does not answer${code === '' ? '' : ` (${code})`}`,
    'Start it, or correct host, port and tls in lethe.yaml.',
  );
}

function safeCause(code: string): Error {
  return new Error(code === '' ? 'no code' : code);
}
