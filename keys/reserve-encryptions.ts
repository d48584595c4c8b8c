import type { ClientBase } from 'pg';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { inTransaction, withKeyStore } from './key-store-client.ts';
import { openMaster } from './master/open-master.ts';
import { holdEpoch, holdKey, nextGeneration } from './rotate-key.ts';

/** So many encryptions under this generation of a key are one process's to make, and nobody else's. */
export interface Reservation {
  readonly generation: number;
  readonly count: number;
}

/** Who hands out encryptions under keys that are nobody's own. */
export interface EncryptionReserve {
  /** How many are handed out at once. */
  readonly block: number;
  /** The next block under the newest generation of the key (its id: a UUID's text). KEY_STORE_INVALID for a key that is not there. */
  reserve(keyId: string): Promise<Reservation>;
}

/** Of who looks up and opens alone: nothing can be encrypted. */
export const nothingReserved: EncryptionReserve = {
  block: 0,
  reserve: () => Promise.reject(new Error('nothing is reserved for who encrypts nothing')),
};

export interface ReserveBounds {
  readonly block: number;
  /** Under one generation, never more. */
  readonly most: number;
}

/**
 * NIST SP 800-38D (8.3) allows 2^32 encryptions under a key of AES-GCM with random nonces of 96 bits. Half of that: what is lost with a
 * key store that was restored from a backup has room in the other half. A process that is killed wastes a block.
 */
export const encryptionBounds: ReserveBounds = { block: 2 ** 18, most: 2 ** 31 };

/** Whom the audit names where a key is rotated because its generation is full. */
const principal = 'lethe:nonce-limit';

/**
 * Counts encryptions in the key store, in blocks, before they are made: over processes and restarts a generation never has more than it may.
 * When the next block would not fit, the key gets its next generation in the same transaction.
 */
export function encryptionReserve(
  config: Pick<Config, 'keys'>,
  bounds: ReserveBounds = encryptionBounds,
): EncryptionReserve {
  const master = openMaster(config.keys.master);
  const { block, most } = bounds;
  const count = async (client: ClientBase, keyId: string, generation: number): Promise<boolean> => {
    const { rowCount } = await client.query(
      `insert into lethe_keys.reservations as r (key_id, generation, reserved) values ($1, $2, $3)
       on conflict (key_id, generation) do update set reserved = r.reserved + excluded.reserved
        where r.reserved + excluded.reserved <= $4`,
      [keyId, generation, block, most],
    );
    return rowCount === 1;
  };
  return {
    block,
    reserve: (keyId) =>
      withKeyStore(config, (client) =>
        inTransaction(client, async () => {
          await holdEpoch(client);
          const held = await holdKey(client, keyId);
          if (!held?.wrapped) {
            throw new LetheError('KEY_STORE_INVALID', `key ${keyId}, of no person, is not there any more`, {
              fix: 'Bring back the newest state of the key store.',
            });
          }
          if (await count(client, keyId, held.generation))
            return { generation: held.generation, count: block };
          const { generation } = await nextGeneration(client, master, held, principal);
          await count(client, keyId, generation);
          return { generation, count: block };
        }),
      ),
  };
}

/**
 * Has each key go on in its next generation with the next block: nobody knows how many encryptions were made since the backup that the key
 * store was restored from. Within the caller's transaction.
 */
export async function fillReservations(client: ClientBase, most = encryptionBounds.most): Promise<void> {
  await client.query('update lethe_keys.reservations set reserved = greatest(reserved, $1)', [most]);
}
