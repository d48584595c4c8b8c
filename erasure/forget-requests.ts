import { destroyKeyOf } from '../keys/destroy-key.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import type { Config } from '../schemas/config.ts';
import { requestSubjectType } from './inventory.ts';
import { endedStates } from './requests.ts';

/**
 * Destroys the keys of requests that have ended: what they knew of the persons is sealed under them, and old pages of the
 * database still have it. Whoever was cut short before is taken up here.
 */
export async function forgetRequests(config: Pick<Config, 'keys'>): Promise<void> {
  const kind = { type: requestSubjectType };
  const keys = openKeyStore(config);
  try {
    await withKeyStore(config, async (client) => {
      const { rows } = await client.query<{ id: string }>(
        `select id from lethe_erasure.requests where state = any($1) and not key_gone order by id`,
        [endedStates],
      );
      for (const { id } of rows) {
        await destroyKeyOf(client, kind, await keys.subjectDigest(kind, id));
        await client.query('update lethe_erasure.requests set key_gone = true where id = $1', [id]);
      }
    });
  } finally {
    await keys.close();
  }
}
