import { withSource } from '../connectors/postgres/source-client.ts';
import { erasureResources } from '../erasure/schema.ts';
import { notSetUp } from '../keys/epoch-ring.ts';
import { keyStoreResources } from '../keys/resources.ts';
import { keyStoreState } from '../keys/key-store-error.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { requireAnchored } from './anchored-keys.ts';

/**
 * KEY_STORE_INVALID for a key store that is not set up, that these master keys do not open, or that is behind its anchor: nothing may
 * pass. One that is away is waited for by whoever needs it.
 */
export async function requireKeyStore(config: Config): Promise<void> {
  try {
    for (const resource of [...keyStoreResources(config), ...erasureResources(config)]) {
      const [missing] = await resource.diff();
      if (missing) throw notSetUp();
    }
    await requireAnchored(config);
  } catch (error) {
    if (!(error instanceof LetheError) || error.code !== 'KEY_STORE_UNAVAILABLE') throw error;
  }
}

/**
 * CONFIG_INVALID where, in production, the key store lives in the source's own cluster, or nobody can tell: the two then share WAL and
 * backups, and whoever restores the one has the other.
 */
export async function refuseKeysBesideSource(config: Config): Promise<void> {
  if (config.environment !== 'production' || config.overrides.includes('keys-beside-the-source')) return;
  const [source, keys] = await Promise.all([
    withSource(config.postgres, systemOf),
    // Where the database is not there yet, its server is asked.
    withKeyStore(config, systemOf).catch((error: unknown) => {
      if (keyStoreState(error) !== '3D000') throw error;
      return withKeyStore(config, systemOf, 'postgres');
    }),
  ]);
  if (source !== keys) return;
  throw new LetheError(
    'CONFIG_INVALID',
    "the key store is in the source's own cluster: they share WAL and backups",
    {
      fix: 'Give it a server of its own in keys.url; or, if it is meant, write overrides: [keys-beside-the-source].',
    },
  );
}

async function systemOf(client: { query(text: string): Promise<{ rows: unknown[] }> }): Promise<string> {
  const { rows } = await client.query('select system_identifier::text as system from pg_control_system()');
  return (rows[0] as { system: string }).system;
}
