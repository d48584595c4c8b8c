import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Client } from 'pg';

/** What `lethe stack up --json` prints. */
export interface TestEndpoints {
  readonly postgres: { readonly url: string };
  readonly kafka: { readonly brokers: readonly string[] };
  readonly connect: { readonly url: string };
  readonly registry: { readonly url: string };
  readonly elasticsearch: { readonly url: string };
  readonly clickhouse: { readonly url: string };
}

export interface TestStack {
  readonly endpoints: TestEndpoints;
  /** The stack's folder, for `lethe stack kill PART --dir`. */
  readonly dir: string;
}

/**
 * The stack that the whole run shares: its global setup, or whoever calls, names the file of its endpoints in
 * LETHE_TEST_ENDPOINTS. Tests must not assume that they are alone on it: unique names, and clean up.
 */
export async function acquireStack(): Promise<TestStack> {
  const path = process.env['LETHE_TEST_ENDPOINTS'];
  if (!path) throw new Error('LETHE_TEST_ENDPOINTS is not set: run the stack tests with `npm test`');
  const endpoints = JSON.parse(await readFile(path, 'utf8')) as TestEndpoints;
  return { endpoints, dir: process.env['LETHE_TEST_STACK_DIR'] ?? dirname(path) };
}

export interface TestDatabase {
  readonly url: string;
  /** Drops the database, its replication slots first. */
  drop(): Promise<void>;
}

/** An empty database of a unique name that starts with `prefix`. */
export async function freshDatabase(
  endpoints: Pick<TestEndpoints, 'postgres'>,
  prefix: string,
): Promise<TestDatabase> {
  const name = `${prefix}_${randomBytes(5).toString('hex')}`;
  await withClient(endpoints.postgres.url, (client) =>
    client.query(`CREATE DATABASE ${quote(name)} TEMPLATE template0`),
  );
  const url = new URL(endpoints.postgres.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () =>
      withClient(endpoints.postgres.url, async (client) => {
        await client.query(
          `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active`,
          [name],
        );
        await dropSlots(client, name);
        await client.query(`DROP DATABASE IF EXISTS ${quote(name)} WITH (FORCE)`);
      }),
  };
}

/** A slot of a walsender that was just told to end is in use for a moment longer. */
async function dropSlots(client: Client, database: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      await client.query(
        'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1',
        [database],
      );
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
