import { Client } from 'pg';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import type { PlannedChange, Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { MasterKey } from './master-key.ts';
import { keyStoreError } from './postgres-key-store.ts';
import { keyStoreStatements, pseudonymSecret } from './schema.ts';

/** The key store's database, tables, master key record and pseudonym secret. */
export function keyStoreResources(config: Pick<Config, 'keys'>): Resource[] {
  const master = new MasterKey(config.keys.masterKey);
  return [
    {
      name: 'key store',
      system: 'keys',
      diff: () => diffKeyStore(config, master),
      apply: () => applyKeyStore(config, master),
    },
  ];
}

async function diffKeyStore(config: Pick<Config, 'keys'>, master: MasterKey): Promise<PlannedChange[]> {
  const client = new Client(postgresOptions(config.keys));
  try {
    await client.connect();
  } catch (cause) {
    if ((cause as { code?: unknown }).code === '3D000') {
      return [{ action: 'create', summary: 'database, tables and first secrets of the key store' }];
    }
    throw keyStoreError(cause);
  }
  try {
    const { rows } = await client.query<{ ready: boolean }>(
      `select count(*) = 3 as ready from pg_tables where schemaname = 'lethe_keys' and tablename in ('master_keys', 'data_keys', 'secrets')`,
    );
    if (!rows[0]?.ready) return [{ action: 'create', summary: 'tables and first secrets of the key store' }];
    const known = await client.query<{ check_value: Buffer }>(
      'select check_value from lethe_keys.master_keys where version = $1',
      [master.version],
    );
    const secret = await client.query('select 1 from lethe_keys.secrets where name = $1', [pseudonymSecret]);
    if (!known.rows[0] || secret.rowCount === 0)
      return [{ action: 'create', summary: 'first secrets of the key store' }];
    assertSameMaster(known.rows[0].check_value, master);
    return [];
  } catch (cause) {
    throw cause instanceof LetheError ? cause : keyStoreError(cause);
  } finally {
    await client.end();
  }
}

async function applyKeyStore(config: Pick<Config, 'keys'>, master: MasterKey): Promise<void> {
  await createDatabase(config);
  const client = new Client(postgresOptions(config.keys));
  try {
    await client.connect();
    // One transaction under a lock: two that apply at once end with one set of secrets.
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('lethe_keys'))`);
    for (const statement of keyStoreStatements) await client.query(statement);
    const known = await client.query<{ check_value: Buffer }>(
      `insert into lethe_keys.master_keys (version, check_value) values ($1, $2)
       on conflict (version) do update set version = excluded.version returning check_value`,
      [master.version, master.checkValue],
    );
    assertSameMaster(known.rows[0]!.check_value, master);
    await client.query(
      `insert into lethe_keys.secrets (name, wrapped, master_version) values ($1, $2, $3) on conflict (name) do nothing`,
      [pseudonymSecret, master.newKey(pseudonymSecret, 0), master.version],
    );
    await client.query('commit');
  } catch (cause) {
    throw cause instanceof LetheError ? cause : keyStoreError(cause);
  } finally {
    await client.end();
  }
}

/** The database itself, made from the `postgres` database of the same server where it is missing. */
async function createDatabase(config: Pick<Config, 'keys'>): Promise<void> {
  const { database } = postgresOptions(config.keys);
  const client = new Client(postgresOptions(config.keys, 'postgres'));
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database!)}`);
  } catch (cause) {
    const state = (cause as { code?: unknown }).code;
    // Another one made it just now; or this role may not look, and the next step will say what is missing.
    if (state !== '42P04' && state !== '23505' && state !== '42501') throw keyStoreError(cause);
  } finally {
    await client.end();
  }
}

function assertSameMaster(stored: Buffer, master: MasterKey): void {
  if (!stored.equals(master.checkValue)) {
    throw new LetheError(
      'KEY_STORE_INVALID',
      'the key store was made with another master key than keys.masterKey',
    );
  }
}
