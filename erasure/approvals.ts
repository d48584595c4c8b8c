import type { ClientBase } from 'pg';
import { type Approval, requireIndependent } from '../keys/access/approval.ts';
import { refused } from '../keys/access/access-error.ts';
import { isDisabled } from '../keys/access/authenticate.ts';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction } from '../keys/key-store-client.ts';
import { endedStates, type ErasureRequest, findRequest, lockRequest, requestsAlong } from './requests.ts';
import { erasureSteps } from './step.ts';

/** Tables of who approved which request; each statement may be run again. */
export const approvalStatements = [
  // How many a request needs is fixed when it is filed: another lethe.yaml does not let it go.
  'alter table lethe_erasure.requests add column if not exists approvals_needed int not null default 0',
  `create table if not exists lethe_erasure.approvals (
     request text not null references lethe_erasure.requests,
     principal text not null,
     at timestamptz not null,
     primary key (request, principal))`,
] as const;

/** Of a request: how many it needs, and who has given one. */
export interface RequestApprovals {
  readonly needed: number;
  readonly given: readonly GivenApproval[];
}

export interface GivenApproval extends Approval {
  /** Not of somebody who was disabled since. */
  readonly counts: boolean;
}

/** How many approvals a request still waits for, before its first step; 0 of one that was let go, or has ended. */
export function approvalsMissing({
  state,
  step,
  approvals: { needed, given },
}: Pick<ErasureRequest, 'state' | 'step' | 'approvals'>): number {
  // What was begun is not held up in its middle, where somebody who approved leaves.
  if (step !== erasureSteps[0] || endedStates.includes(state)) return 0;
  return Math.max(0, needed - given.filter(({ counts }) => counts).length);
}

/**
 * Adds somebody's approval to each of these requests and of those that were filed along with them, or to none; the requests after it. ACCESS_REFUSED as {@link requireIndependent} says, and
 * for a request that waits for none; ERASURE_REFUSED where there is none. Two who approve at once take turns.
 */
export async function approveRequests(
  client: ClientBase,
  ids: readonly string[],
  by: { readonly name: string; readonly since?: Date },
): Promise<ErasureRequest[]> {
  return inTransaction(client, async () => {
    const approver = { ...by, isDisabled: await isDisabled(client, by.name) };
    const asked = new Set<string>();
    for (const id of ids.toSorted()) {
      // One that there is not is met by the lock.
      for (const one of [id, ...(await requestsAlong(client, id))]) asked.add(one);
    }
    // All rows in one order, and the audit after them: nobody waits for somebody who waits for him.
    for (const id of [...asked].toSorted()) {
      await lockRequest(client, id);
      // Read anew: what the lock waited for has added to another table than the locked row's.
      const request = (await findRequest(client, id))!;
      const { requestedBy: principal, createdAt, approvals } = request;
      requireIndependent({ principal, createdAt, approvals: approvals.given }, approver);
      if (approvalsMissing(request) === 0) throw refused('not-waiting', by.name);
      await client.query(
        'insert into lethe_erasure.approvals (request, principal, at) values ($1, $2, clock_timestamp())',
        [id, by.name],
      );
    }
    const after: ErasureRequest[] = [];
    for (const id of asked) {
      const approved = (await findRequest(client, id))!;
      const details = { request: id, missing: approvalsMissing(approved) };
      await appendAudit(client, 'erasure-approved', details, by.name);
      after.push(approved);
    }
    return after;
  });
}
