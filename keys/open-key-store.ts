import { postgresOptions } from '../pipeline/postgres-options.ts';
import { postgresPool } from '../pipeline/postgres-pool.ts';
import type { Config } from '../schemas/config.ts';
import { openMaster } from './master/open-master.ts';
import { PostgresKeyStore } from './postgres-key-store.ts';

/** The key store that lethe.yaml names, over so many connections at most; nothing is asked of it yet. */
export function openKeyStore({ keys }: Pick<Config, 'keys'>, connections = 1): PostgresKeyStore {
  const pool = postgresPool({ ...postgresOptions(keys), max: connections });
  return new PostgresKeyStore(pool, openMaster(keys.master));
}
