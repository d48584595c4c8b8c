import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import { postgresPool } from '../pipeline/postgres-pool.ts';
import type { Config } from '../schemas/config.ts';
import { startErasures } from './start-erasures.ts';
import { PostgresSubjectIndex } from './subject-index.ts';

const connections = 4;

/** The index in the key store's database, over connections of its own. */
export function openSubjectIndex(
  config: Pick<Config, 'keys' | 'erasure'>,
  store: PostgresKeyStore,
): PostgresSubjectIndex {
  const pool = postgresPool({ ...postgresOptions(config.keys), max: connections });
  return new PostgresSubjectIndex(
    pool,
    (kind, id) => store.subjectDigest(kind, id),
    ({ type }, ids) => startErasures(config, store, type, ids),
  );
}
