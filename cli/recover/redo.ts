import type { ClientBase } from 'pg';
import { cancelRequest, findRequest } from '../../erasure/requests.ts';
import { endRestriction, restoreRestriction } from '../../erasure/restrictions.ts';
import { isRevocable } from '../../erasure/step.ts';
import { liftSuppression, type SubjectRef, suppress } from '../../erasure/suppression.ts';
import { destroyKeyOf } from '../../keys/destroy-key.ts';
import { inTransaction } from '../../keys/key-store-client.ts';
import type { LedgerRecord } from '../../keys/ledger/ledger-record.ts';
import type { RecoveryPlan } from './plan-recovery.ts';

/**
 * Does to a key store what the plan says, one person after the other; done again it does no harm. Those who were erased come first: whoever is cut
 * short has them.
 */
export async function redo(client: ClientBase, plan: RecoveryPlan, principal: string): Promise<void> {
  for (const record of plan.erase) {
    const subject = subjectOf(record);
    // Of who was let in again nobody knows by which request they were erased.
    await suppress(client, record.request === '' ? 'recovered' : record.request, subject);
    await destroyKeyOf(client, { type: subject.type }, subject.digest);
  }
  for (const record of plan.lift) await lift(client, record, principal);
  for (const { by, request, ...record } of plan.suppress) {
    const subject = subjectOf(record);
    await suppress(client, request, subject);
    // Else nobody could lift it.
    if (by === 'restriction') await restoreRestriction(client, request, subject, principal);
  }
}

/** A request that was taken back would be carried out else, to a person who did not want it. */
async function lift(client: ClientBase, record: LedgerRecord, principal: string): Promise<void> {
  const { by, request } = record;
  const found = by === 'request' ? await findRequest(client, request) : undefined;
  const isOpen = found?.state === 'open' || found?.state === 'needs-person';
  if (isOpen && isRevocable(found.step)) await cancelRequest(client, request, principal);
  else await inTransaction(client, () => liftSuppression(client, request, subjectOf(record), principal));
  if (by === 'restriction') await endRestriction(client, request, principal);
}

function subjectOf({ type, digest }: Pick<LedgerRecord, 'type' | 'digest'>): SubjectRef {
  return { type, digest: Buffer.from(digest, 'hex') };
}
