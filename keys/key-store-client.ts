import { Client, type ClientBase } from 'pg';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import type { Config } from '../schemas/config.ts';
import { keyStoreError } from './key-store-error.ts';

/**
 * Runs against the key store's database, or another one of its server, over a connection of its own; every failure comes out as a
 * LetheError.
 */
export async function withKeyStore<T>(
  { keys }: Pick<Config, 'keys'>,
  use: (client: ClientBase) => Promise<T>,
  database?: string,
): Promise<T> {
  const client = new Client(postgresOptions(keys, database));
  // A connection that breaks between two statements must not end the process; the next statement fails.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } catch (cause) {
    // Whoever stopped the work hears of it as he said it; and a mistake of ours is no failure of the key store.
    throw isAborted(cause) || isMistake(cause) ? cause : keyStoreError(cause);
  } finally {
    await client.end().catch(() => {});
  }
}

function isAborted(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AbortError';
}

function isMistake(cause: unknown): boolean {
  return cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError;
}

export async function inTransaction<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** Held until the transaction ends: whoever changes epochs or secrets is alone. */
export async function lockKeyStore(client: ClientBase): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtext('lethe_keys'))`);
}
