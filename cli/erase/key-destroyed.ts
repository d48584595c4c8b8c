import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import { destroyKeyOf } from '../../keys/destroy-key.ts';
import { forgetLink } from '../../keys/linked-subjects.ts';
import { refuseHeld } from '../../erasure/holds.ts';
import type { StepResult, StepWork } from '../../erasure/runner.ts';
import { anchorKeys } from '../anchored-keys.ts';
import { noteInLedger } from '../ledger.ts';
import type { ErasureContext } from './context.ts';

/** From here on there is no way back: what is encrypted of the persons is nobody's to read, copies included. */
export function keyDestroyedWork({ project: { config }, keys }: ErasureContext): StepWork {
  return async (erasures) => {
    await withKeyStore(config, async (client) => {
      // One that was put on meanwhile counts as well.
      for (const { request } of erasures) await refuseHeld(client, request.subject);
    });
    // Before it is done: a key store from before is told by it whose keys it has to destroy again.
    await noteInLedger(
      config,
      erasures.map(({ request: { id, subject } }) => ({ subject, state: 'destroyed', request: id })),
    );
    const results = await withKeyStore(config, async (client) => {
      const done: StepResult[] = [];
      for (const { request, inventory } of erasures) {
        const { type, digest } = request.subject;
        await refuseHeld(client, request.subject);
        const { keyId, generations } = await destroyKeyOf(client, { type }, digest);
        await inTransaction(client, () => forgetLink(client, keys, type, digest));
        done.push({ evidence: { keyId, generations }, inventory: { ...inventory, keyId } });
      }
      return done;
    });
    // An older key store, in which they have their keys, is refused from now on.
    await anchorKeys(config);
    return results;
  };
}
