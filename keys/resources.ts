import type { ClientBase } from 'pg';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import type { PlannedChange, Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { appendAudit } from './audit/audit-log.ts';
import { EpochRing } from './epoch-ring.ts';
import { openEpoch } from './open-epoch.ts';
import { inTransaction, lockKeyStore, withKeyStore } from './key-store-client.ts';
import { keyStoreState } from './key-store-error.ts';
import { openMaster } from './master/open-master.ts';
import type { MasterKeys } from './master/master-key.ts';
import { keyStoreFormat, keyStoreStatements, keyStoreTables, secretNames } from './schema.ts';
import { completeSecrets, lackingSecrets, makeSecrets } from './store-secrets.ts';

type KeysConfig = Pick<Config, 'keys'>;

/** The key store's database, its tables, the first epoch with its master key, and the first secrets. */
export function keyStoreResources(config: KeysConfig): Resource[] {
  const master = openMaster(config.keys.master);
  return [
    {
      name: 'key store',
      system: 'keys',
      diff: () => diffKeyStore(config, master),
      apply: () => applyKeyStore(config, master),
    },
  ];
}

async function diffKeyStore(config: KeysConfig, master: MasterKeys): Promise<PlannedChange[]> {
  try {
    return await withKeyStore(config, async (client) => {
      const { rows } = await client.query<{ some: boolean; all: boolean }>(
        `select to_regclass('lethe_keys.secrets') is not null as some,
                bool_and(to_regclass(name) is not null) as all from unnest($1::text[]) name`,
        [keyStoreTables],
      );
      const { some, all } = rows[0]!;
      await refuseOlder(client);
      if (!some) return [create('tables, the first epoch and its secrets')];
      if (!all) return [create('newer tables')];
      const lacking = await lackingSecrets(client);
      if (!lacking) return [create('the first epoch and its secrets')];
      await openAll(client, master);
      return lacking.map((name) => create(`the secret ${name}`));
    });
  } catch (error) {
    if (keyStoreState(error) !== '3D000') throw error;
    return [create('database, tables, the first epoch and its secrets')];
  }
}

function create(what: string): PlannedChange {
  return { action: 'create', summary: `${what} of the key store` };
}

/** KEY_STORE_INVALID where the master keys are not those that the key store was made with. */
async function openAll(client: ClientBase, master: MasterKeys): Promise<EpochRing> {
  const ring = new EpochRing((text, values) => client.query(text, values), master);
  await ring.look();
  return ring;
}

/** What an unreleased version made, or a newer one. */
async function refuseOlder(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ old: boolean; kept: boolean }>(
    `select to_regclass('lethe_keys.master_keys') is not null as old,
            to_regclass('lethe_keys.store') is not null as kept`,
  );
  const { old, kept } = rows[0]!;
  const format = kept
    ? await client.query<{ format: number }>('select format from lethe_keys.store')
    : undefined;
  const other = format?.rows[0] !== undefined && format.rows[0].format !== keyStoreFormat;
  if (!old && !other) return;
  throw new LetheError('KEY_STORE_INVALID', 'the key store was made by another version of Lethe', {
    fix: 'Use that version; or name another database in keys.url and read all rows again with `lethe apply`.',
  });
}

async function applyKeyStore(config: KeysConfig, master: MasterKeys): Promise<void> {
  await createDatabase(config);
  await withKeyStore(config, async (client) => {
    await refuseOlder(client);
    // One transaction under a lock: two that apply at once end with one epoch and one set of secrets.
    await inTransaction(client, async () => {
      await lockKeyStore(client);
      for (const statement of keyStoreStatements) await client.query(statement);
      await client.query('insert into lethe_keys.store (format) values ($1) on conflict do nothing', [
        keyStoreFormat,
      ]);
      const lacking = await lackingSecrets(client);
      if (lacking) {
        // Who turns the epoch holds the lock too: the one that is open stays so.
        if (lacking.length > 0) {
          const ring = await openAll(client, master);
          await completeSecrets(client, await ring.current(), lacking);
        }
        return;
      }
      const { epoch, key } = await openEpoch(client, master);
      const signing = await makeSecrets(client, { epoch, key }, secretNames);
      await appendAudit(client, 'store-made', { format: keyStoreFormat, signing: signing! });
      await appendAudit(client, 'epoch-opened', { epoch, master: master.kind });
    });
    await openAll(client, master);
  });
}

/** The database itself, made from the `postgres` database of the same server where it is missing. */
async function createDatabase(config: KeysConfig): Promise<void> {
  const { database } = postgresOptions(config.keys);
  await withKeyStore(
    config,
    async (client) => {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
      if (rowCount !== 0) return;
      await client.query(`create database ${quoted(database!)}`).catch((cause: unknown) => {
        const state = (cause as { code?: unknown }).code;
        // Another one made it just now.
        if (state !== '42P04' && state !== '23505') throw cause as Error;
      });
    },
    'postgres',
  ).catch((error: unknown) => {
    // This role may not look, or not in there: the next step says what is missing.
    if (keyStoreState(error) !== '42501') throw error;
  });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
