import { randomBytes } from 'node:crypto';
import type { ClientBase } from 'pg';
import { epochContext } from './epoch-ring.ts';
import type { MasterKeys } from './master/master-key.ts';
import { rootBytes } from './subject-key.ts';

/**
 * Opens the next epoch, under a master key of its own. Within a transaction that holds the key store's lock: one that is rolled back
 * leaves a master key that wraps nothing.
 */
export async function openEpoch(
  client: ClientBase,
  master: MasterKeys,
): Promise<{ epoch: number; key: Buffer }> {
  const { rows } = await client.query<{ store: string; next: number }>(
    `select (select id::text from lethe_keys.store) as store,
            (select coalesce(max(epoch), 0) + 1 from lethe_keys.epochs) as next`,
  );
  const { store, next } = rows[0]!;
  const key = randomBytes(rootBytes);
  const name = await master.create();
  const wrapped = await master.wrap(name, key, epochContext(store, next));
  await client.query(
    `insert into lethe_keys.epochs (epoch, master_kind, master_name, wrapped, state) values ($1, $2, $3, $4, 'open')`,
    [next, master.kind, name, wrapped],
  );
  return { epoch: next, key };
}
