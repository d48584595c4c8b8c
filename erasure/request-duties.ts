import type { ClientBase } from 'pg';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction } from '../keys/key-store-client.ts';
import { LetheError } from '../schemas/errors.ts';
import { extendedDeadline } from './deadline.ts';
import { endedStates, type ErasureRequest, findRequest, lockRequest } from './requests.ts';
import { erasureSteps } from './step.ts';
import { liftSuppression } from './suppression.ts';

/**
 * Puts the answer off by two further months, counted from the receipt, and notes why (GDPR, Article 12(3)): once, and before the first deadline
 * has passed by the key store's clock. The same call again says the same. ERASURE_REFUSED where it may not be.
 */
export async function extendRequest(
  client: ClientBase,
  id: string,
  reason: string,
  principal: string,
): Promise<ErasureRequest> {
  return inTransaction(client, async () => {
    const found = await lockRequest(client, id);
    if (found.extension?.reason === reason) return found;
    if (found.extension)
      throw refused(`the deadline of request ${id} was put off before`, 'The law lets it be put off once.');
    if (endedStates.includes(found.state)) throw refused(`request ${id} is ${found.state}`, seeStatus(id));
    const { rowCount } = await client.query(
      `update lethe_erasure.requests set deadline = $2, extended_at = clock_timestamp(), extension = $3
        where id = $1 and clock_timestamp() < deadline`,
      [id, extendedDeadline(found.receivedAt), reason],
    );
    if (rowCount !== 1)
      throw refused(
        `the deadline of request ${id} has passed`,
        'It can be put off before that only: answer the person now.',
      );
    await appendAudit(client, 'erasure-extended', { request: id }, principal);
    return (await findRequest(client, id))!;
  });
}

/**
 * Ends a request that will not be done, with the ground that the person is told, and lifts the suppression that it brought. Only as long as
 * nothing was done at the source: ERASURE_REFUSED from there on. The same again does nothing.
 */
export async function refuseRequest(
  client: ClientBase,
  id: string,
  ground: string,
  principal: string,
): Promise<ErasureRequest> {
  return inTransaction(client, async () => {
    const found = await lockRequest(client, id);
    if (found.state === 'refused') return found;
    if (endedStates.includes(found.state)) throw refused(`request ${id} is ${found.state}`, seeStatus(id));
    if (erasureSteps.indexOf(found.step) > erasureSteps.indexOf('suppressed'))
      throw refused(`request ${id} is carried out already: the source may be changed`, seeStatus(id));
    await liftSuppression(client, id, found.subject, principal);
    await client.query(
      `update lethe_erasure.requests set state = 'refused', ground = $2, sealed = null, problem = null where id = $1`,
      [id, ground],
    );
    await appendAudit(client, 'erasure-refused', { request: id }, principal);
    return (await findRequest(client, id))!;
  });
}

function seeStatus(id: string): string {
  return `See \`lethe erase status ${id}\`.`;
}

function refused(message: string, fix: string): LetheError {
  return new LetheError('ERASURE_REFUSED', message, { fix });
}
