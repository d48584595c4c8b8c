import { destroyKey } from '../keys/destroy-key.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import type { Config } from '../schemas/config.ts';
import { requestSubjectType } from './inventory.ts';
import { endedStates } from './requests.ts';

/**
 * Destroys the keys of requests that have ended: what they knew of the persons is sealed under them, and old pages of the
 * database still have it. Whoever was cut short before is taken up here.
 */
export async function forgetRequests(config: Pick<Config, 'keys'>): Promise<void> {
  const ended = await withKeyStore(config, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `select id from lethe_erasure.requests where state = any($1) and not key_gone order by id`,
      [endedStates],
    );
    return rows.map(({ id }) => id);
  });
  for (const id of ended) {
    await destroyKey(config, { type: requestSubjectType }, id);
    await withKeyStore(config, (client) =>
      client.query('update lethe_erasure.requests set key_gone = true where id = $1', [id]),
    );
  }
}
