import { Client } from 'pg';
import { keyStoreStatements } from '../../keys/schema.ts';

const tables = ['store', 'epochs', 'subjects', 'data_keys', 'secrets', 'reservations', 'suppressed', 'audit'];

/** What a backup of the key store holds: every row of every table. */
export type KeyStoreBackup = ReadonlyMap<string, string>;

export async function backUpKeyStore(url: string): Promise<KeyStoreBackup> {
  return withClient(url, async (client) => {
    const backup = new Map<string, string>();
    await client.query('begin isolation level repeatable read read only');
    for (const table of tables) {
      const { rows } = await client.query<{ all: string }>(
        `select coalesce(json_agg(t), '[]')::text as all from lethe_keys.${table} t`,
      );
      backup.set(table, rows[0]!.all);
    }
    return backup;
  });
}

/** Puts a backup into an empty database. */
export async function restoreKeyStore(url: string, backup: KeyStoreBackup): Promise<void> {
  await withClient(url, async (client) => {
    for (const statement of keyStoreStatements) await client.query(statement);
    for (const table of tables) {
      await client.query(
        `insert into lethe_keys.${table} select * from json_populate_recordset(null::lethe_keys.${table}, $1)`,
        [backup.get(table)],
      );
    }
  });
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
