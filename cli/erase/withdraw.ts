import type { ClientBase } from 'pg';
import { forgetRequests } from '../../erasure/forget-requests.ts';
import { openInventory } from '../../erasure/inventory.ts';
import { type ErasureRequest, findRequest, noSuchRequest } from '../../erasure/requests.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import type { Config } from '../../schemas/config.ts';
import { noteInLedger } from '../ledger.ts';
import type { Project } from '../project.ts';
import { rereadSubject } from '../reread-subject.ts';
import type { Subject } from '../subject.ts';

/**
 * Ends a request by `end`, which fails where that may not be, and forgets what it knew. Where the person was suppressed by then, his rows are
 * read again: those that changed meanwhile were taken as deletes. Gives the request as it stands then.
 */
export async function withdraw(
  config: Config,
  /** Asked for when the request has ended: what is wrong with a contract must not keep anybody from ending it. */
  openProject: () => Promise<Project>,
  id: string,
  end: (client: ClientBase) => Promise<unknown>,
): Promise<ErasureRequest> {
  const before = await withKeyStore(config, (client) => findRequest(client, id));
  if (!before) throw noSuchRequest(id);
  // Nobody can open it once the request has ended.
  const subject = await suppressedBy(config, before);
  await withKeyStore(config, end);
  await noteInLedger(config, [{ subject: before.subject, state: 'lifted', request: id }]);
  await forgetRequests(config);
  if (subject) {
    const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
    await rereadSubject(await openProject(), subject, { say });
  }
  return (await withKeyStore(config, (client) => findRequest(client, id))) ?? before;
}

/** Whom the request may suppress by now; undefined of one that was not begun, or has ended. */
async function suppressedBy(
  config: Config,
  { id, step, sealed }: ErasureRequest,
): Promise<Subject | undefined> {
  if (step === 'checked' || sealed === null) return undefined;
  const keys = openKeyStore(config);
  try {
    return (await openInventory(keys, id, sealed)).subject;
  } finally {
    await keys.close();
  }
}
