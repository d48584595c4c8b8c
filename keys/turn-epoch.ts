import type { ClientBase } from 'pg';
import type { Config } from '../schemas/config.ts';
import { appendAudit } from './audit/audit-log.ts';
import { EpochRing } from './epoch-ring.ts';
import { openEpoch } from './open-epoch.ts';
import { inTransaction, lockKeyStore, withKeyStore } from './key-store-client.ts';
import { openMaster } from './master/open-master.ts';
import type { Destruction, MasterKeys } from './master/master-key.ts';
import { epochOfWrapped, unwrapKey, wrapKey } from './wrapped-key.ts';

/** An epoch that has ended, and what became of its master key. */
export interface EndedEpoch {
  readonly epoch: number;
  readonly destruction: Destruction;
}

export interface Turn {
  /** The epoch that all that is left is wrapped under now. */
  readonly epoch: number;
  readonly ended: readonly EndedEpoch[];
  /** How many keys were wrapped anew. */
  readonly rewrapped: number;
}

export interface TurnOptions {
  /** Is told how many keys are still to be wrapped anew. */
  readonly onProgress?: (left: number) => void;
  readonly signal?: AbortSignal;
}

const batch = 1_000;

/**
 * Turns the epoch: a new one under a new master key, all that is left wrapped under it, and the master keys of those before destroyed. What
 * was erased before is undecipherable then in every remnant: dead tuples, WAL, archives and backups. No ciphertext is touched, and
 * traffic goes on meanwhile. One that was cut short is finished by the next.
 */
export async function turnEpoch(config: Pick<Config, 'keys'>, options: TurnOptions = {}): Promise<Turn> {
  const master = openMaster(config.keys.master);
  return withKeyStore(config, async (client) => {
    const epoch = await closeEpoch(client, master);
    const ring = new EpochRing((text, values) => client.query(text, values), master);
    let rewrapped = 0;
    for (;;) {
      options.signal?.throwIfAborted();
      const done = await rewrapBatch(client, ring);
      if (done === 0) break;
      rewrapped += done;
      options.onProgress?.(await countLeft(client));
    }
    return { epoch, ended: await destroyEnded(client, master), rewrapped };
  });
}

/** The epoch that is open then. One that is still being ended is ended first. */
async function closeEpoch(client: ClientBase, master: MasterKeys): Promise<number> {
  return inTransaction(client, async () => {
    await lockKeyStore(client);
    const unfinished = await client.query(`select from lethe_keys.epochs where state = 'closing'`);
    const open = await client.query<{ epoch: number }>(
      `select epoch from lethe_keys.epochs where state = 'open' for update`,
    );
    if (unfinished.rowCount) return open.rows[0]!.epoch;
    await client.query(
      `update lethe_keys.epochs set state = 'closing', closed_at = clock_timestamp() where state = 'open'`,
    );
    const { epoch } = await openEpoch(client, master);
    await appendAudit(client, 'epoch-opened', { epoch, master: master.kind });
    return epoch;
  });
}

/** Wraps some keys and all secrets of closed epochs under the open one; how many. */
async function rewrapBatch(client: ClientBase, ring: EpochRing): Promise<number> {
  return inTransaction(client, async () => {
    await ring.look();
    const { epoch, key } = await ring.current();
    const again = (wrapped: Buffer, name: string, generation: number) => {
      const secret = unwrapKey(ring.keyOf(epochOfWrapped(wrapped)), wrapped, name, generation);
      return wrapKey(epoch, key, name, generation, secret);
    };
    const secrets = await client.query<{ name: string; wrapped: Buffer }>(
      'select name, wrapped from lethe_keys.secrets where epoch < $1 for update',
      [epoch],
    );
    for (const { name, wrapped } of secrets.rows) {
      await client.query('update lethe_keys.secrets set wrapped = $2, epoch = $3 where name = $1', [
        name,
        again(wrapped, name, 0),
        epoch,
      ]);
    }
    // An erasure that is under way holds its rows: they are met in another batch, if they are still there.
    const { rows } = await client.query<{ key_id: string; generation: number; wrapped: Buffer }>(
      `select key_id, generation, wrapped from lethe_keys.data_keys
        where epoch < $1 and wrapped is not null limit ${batch} for update`,
      [epoch],
    );
    await client.query(
      `update lethe_keys.data_keys k set wrapped = t.w, epoch = $4
         from unnest($1::uuid[], $2::int[], $3::bytea[]) as t (id, g, w)
        where k.key_id = t.id and k.generation = t.g`,
      [
        rows.map((row) => row.key_id),
        rows.map((row) => row.generation),
        rows.map((row) => again(row.wrapped, row.key_id, row.generation)),
        epoch,
      ],
    );
    return secrets.rows.length + rows.length;
  });
}

async function countLeft(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ left: number }>(
    `select count(*)::int as left from lethe_keys.data_keys
      where wrapped is not null and epoch < (select epoch from lethe_keys.epochs where state = 'open')`,
  );
  return rows[0]!.left;
}

/**
 * Destroys the master keys of epochs that wrap nothing any more. Nobody is offered an epoch's key any more before its master key goes: cut
 * short in between, it is pending, and the next turn asks for its destruction again, as it does where a keeper waits.
 */
async function destroyEnded(client: ClientBase, master: MasterKeys): Promise<EndedEpoch[]> {
  await client.query(
    `update lethe_keys.epochs set wrapped = null, state = 'pending' where state = 'closing'`,
  );
  const { rows } = await client.query<{ epoch: number; master_name: string }>(
    `select epoch, master_name from lethe_keys.epochs where state = 'pending' order by epoch`,
  );
  const ended: EndedEpoch[] = [];
  for (const { epoch, master_name } of rows) {
    const destruction = await master.destroy(master_name);
    const final = destruction.state === 'pending' ? destruction.until : null;
    await inTransaction(client, async () => {
      await client.query(
        `update lethe_keys.epochs set state = $2, final_at = coalesce($3, clock_timestamp()),
           destroyed_at = coalesce(destroyed_at, clock_timestamp()) where epoch = $1`,
        [epoch, destruction.state, final],
      );
      await appendAudit(client, 'epoch-ended', { epoch, state: destruction.state });
    });
    ended.push({ epoch, destruction });
  }
  return ended;
}
