import { withKeyStore } from '../keys/key-store-client.ts';
import { isLinked } from '../keys/linked-subjects.ts';
import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { randomUUID } from 'node:crypto';
import { deadlineOf } from './deadline.ts';
import { newInventory, sealInventory } from './inventory.ts';
import { fileRequest } from './requests.ts';

/** Who asks, where nobody does. */
const principal = 'lethe:source-delete';

/**
 * Files requests for persons whose own rows the application deleted, where their contract says that this starts an erasure. Done again it does
 * nothing: who is suppressed is being erased, or was. Of a person with several ids it is asked for by name only. `lethe serve`, or `lethe erase
 * resume`, carries them out. Where requests are to be approved these are too: nobody asked for them in person, so that anybody who may approve is
 * another one.
 */
export async function startErasures(
  config: Pick<Config, 'keys' | 'erasure'>,
  keys: PostgresKeyStore,
  type: string,
  ids: readonly string[],
): Promise<void> {
  const suppressed = await keys.areSuppressed({ type }, ids);
  const left = ids.filter((_, i) => !suppressed[i]);
  if (left.length === 0) return;
  await withKeyStore(config, async (client) => {
    for (const id of left) {
      const digest = await keys.subjectDigest({ type }, id);
      // The person lives on under another id: an application that brings two rows together deletes one of them.
      if (await isLinked(client, type, digest)) continue;
      const request = randomUUID();
      const receivedAt = new Date();
      const filed = fileRequest(client, {
        id: request,
        subject: { type, digest },
        reason: 'the application deleted the person’s own row',
        requestedBy: principal,
        receivedAt,
        deadline: deadlineOf(receivedAt),
        approvalsNeeded: config.erasure.approvals,
        sealed: await sealInventory(keys, request, newInventory(type, id)),
      });
      await filed.catch((error: unknown) => {
        // Another request is open for the person.
        if (!(error instanceof LetheError) || error.code !== 'ERASURE_REFUSED') throw error;
      });
    }
  });
}
