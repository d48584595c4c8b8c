import { forgetRequests } from '../../erasure/forget-requests.ts';
import { openInventory } from '../../erasure/inventory.ts';
import { cancelRequest, findRequest, noSuchRequest } from '../../erasure/requests.ts';
import { erasureSteps } from '../../erasure/step.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { anchorKeys } from '../anchored-keys.ts';
import type { Project } from '../project.ts';
import { readAgain } from './read-again.ts';

/**
 * Takes a request back, as long as the key is there. Whose rows became deletes meanwhile has them read again: what the source still has comes
 * back. Says how many rows that are.
 */
export async function cancelErasure(
  project: Project,
  keys: PostgresKeyStore,
  id: string,
  principal: string,
  say: (text: string) => void,
): Promise<number> {
  const { config } = project;
  const request = await withKeyStore(config, (client) => findRequest(client, id));
  if (!request) throw noSuchRequest(id);
  const isOpen = request.state === 'open' || request.state === 'needs-person';
  // Once the request is cancelled nobody can say any more whom it was about.
  const inventory = isOpen ? await openInventory(keys, id, request.sealed!) : undefined;
  await withKeyStore(config, (client) => cancelRequest(client, id, principal));
  const wasSuppressed = erasureSteps.indexOf(request.step) >= erasureSteps.indexOf('suppressed');
  const rows = inventory && wasSuppressed ? await readAgain(project, inventory.subject, { say }) : 0;
  await forgetRequests(config);
  await anchorKeys(config);
  return rows;
}
