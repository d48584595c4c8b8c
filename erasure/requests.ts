import type { ClientBase } from 'pg';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction } from '../keys/key-store-client.ts';
import { LetheError } from '../schemas/errors.ts';
import type { RequestApprovals } from './approvals.ts';
import { type DoneStep, type ErasureStep, erasureSteps, isRevocable, stepAfter } from './step.ts';
import { liftSuppression, type SubjectRef } from './suppression.ts';

/** Letters, digits, dots, - and _: it stands in logs and URLs, so it is nothing personal. */
export function isRequestId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text);
}

/** Somebody's request to be forgotten, as far as it may stand in the clear. */
export interface ErasureRequest {
  readonly id: string;
  readonly subject: SubjectRef;
  readonly reason: string;
  readonly requestedBy: string;
  readonly receivedAt: Date;
  /** When it was filed, by the key store's clock. */
  readonly createdAt: Date;
  readonly deadline: Date;
  readonly approvals: RequestApprovals;
  /** What is to be done next; of one that is done, the last step. */
  readonly step: ErasureStep;
  readonly state: 'open' | 'needs-person' | 'cancelled' | 'refused' | 'done';
  /** Of the step, failed ones. */
  readonly attempts: number;
  readonly retryAt: Date;
  /** What the last attempt failed of: a code and names. */
  readonly problem: string | null;
  /** See inventory.ts. */
  readonly sealed: Buffer | null;
  readonly steps: readonly DoneStep[];
  /** What the check of who asks is filed under: a reference, nothing personal. */
  readonly identity: string | null;
  /** That the answer was put off, and why. */
  readonly extension: { readonly at: Date; readonly reason: string } | null;
  /** Why the request was refused. */
  readonly ground: string | null;
}

export type NewRequest = Pick<
  ErasureRequest,
  'id' | 'subject' | 'reason' | 'requestedBy' | 'receivedAt' | 'deadline'
> & {
  readonly sealed: Buffer;
  readonly identity?: string;
  /** The request that it is filed along with, of a person with several ids. */
  readonly along?: string;
  /** How many others must approve it before it is begun. */
  readonly approvalsNeeded: number;
};

/** States in which nothing more is to be done. */
export const endedStates: readonly ErasureRequest['state'][] = ['cancelled', 'refused', 'done'];

const columns = `id, subject_type, subject_digest, reason, requested_by, received_at, created_at, deadline, step, state, attempts, retry_at,
  problem, sealed, steps, identity, extended_at, extension, ground, approvals_needed,
  (select json_agg(json_build_object('principal', a.principal, 'at', a.at, 'counts', p.disabled_at is null) order by a.at)
     from lethe_erasure.approvals a left join lethe_keys.principals p on p.name = a.principal
    where a.request = requests.id) as approvals`;

interface Row {
  readonly id: string;
  readonly subject_type: string;
  readonly subject_digest: Buffer;
  readonly reason: string;
  readonly requested_by: string;
  readonly received_at: Date;
  readonly created_at: Date;
  readonly deadline: Date;
  readonly approvals_needed: number;
  readonly approvals:
    | readonly { readonly principal: string; readonly at: string; readonly counts: boolean }[]
    | null;
  readonly step: ErasureStep;
  readonly state: ErasureRequest['state'];
  readonly attempts: number;
  readonly retry_at: Date;
  readonly problem: string | null;
  readonly sealed: Buffer | null;
  readonly steps: DoneStep[];
  readonly identity: string | null;
  readonly extended_at: Date | null;
  readonly extension: string | null;
  readonly ground: string | null;
}

/**
 * Files a request. The same id for the same person gives the request that is there; ERASURE_REFUSED for an id that stands for another
 * person, and for a person of whom another request is open.
 */
export async function fileRequest(client: ClientBase, request: NewRequest): Promise<ErasureRequest> {
  return inTransaction(client, () => insertRequest(client, request));
}

/** The same within the caller's transaction: several are filed, or none. */
export async function insertRequest(client: ClientBase, request: NewRequest): Promise<ErasureRequest> {
  const { id, subject, reason, requestedBy, receivedAt, deadline, sealed } = request;
  const { rowCount } = await client.query(
    `insert into lethe_erasure.requests
       (id, subject_type, subject_digest, reason, requested_by, received_at, deadline, step, state, sealed, identity, along, approvals_needed)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10, $11, $12) on conflict do nothing`,
    [
      id,
      subject.type,
      subject.digest,
      reason,
      requestedBy,
      receivedAt,
      deadline,
      erasureSteps[0],
      sealed,
      request.identity ?? null,
      request.along ?? null,
      request.approvalsNeeded,
    ],
  );
  if (rowCount === 1)
    await appendAudit(client, 'erasure-requested', { request: id, type: subject.type }, requestedBy);
  const found = await findRequest(client, id);
  if (found && isOf(found, subject)) return found;
  if (found)
    throw refused(`request ${id} is about another person`, 'Give another --request-id, or leave it out.');
  const other = await client.query<{ id: string }>(
    `select id from lethe_erasure.requests where subject_type = $1 and subject_digest = $2 and state in ('open', 'needs-person')`,
    [subject.type, subject.digest],
  );
  const name = other.rows[0]?.id ?? 'another one';
  throw refused(`request ${name} is open for this person`, `Run \`lethe erase resume ${name}\`.`);
}

/** The request with this id. */
export async function findRequest(client: ClientBase, id: string): Promise<ErasureRequest | undefined> {
  const { rows } = await client.query<Row>(`select ${columns} from lethe_erasure.requests where id = $1`, [
    id,
  ]);
  return rows[0] && requestOf(rows[0]);
}

/** The id of a request that is under way for one of these persons. */
export async function openRequestOf(
  client: ClientBase,
  type: string,
  digests: readonly Buffer[],
): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>(
    `select id from lethe_erasure.requests
      where subject_type = $1 and subject_digest = any($2) and state in ('open', 'needs-person') order by id limit 1`,
    [type, digests],
  );
  return rows[0]?.id;
}

/** The request and those that were filed along with it, or it with them: what ends the one must end the others. In the order of their ids. */
export async function requestsAlong(client: ClientBase, id: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select r.id from lethe_erasure.requests own
       join lethe_erasure.requests r on coalesce(own.along, own.id) in (r.id, r.along)
      where own.id = $1 order by r.id`,
    [id],
  );
  return rows.map((row) => row.id);
}

/** All of them, the one whose deadline comes first in front; `states`, `only`: those in these states, or with these ids. */
export async function listRequests(
  client: ClientBase,
  states: readonly ErasureRequest['state'][] = ['open', 'needs-person', ...endedStates],
  only?: ReadonlySet<string>,
): Promise<ErasureRequest[]> {
  const { rows } = await client.query<Row>(
    `select ${columns} from lethe_erasure.requests where state = any($1)${only ? ' and id = any($3)' : ''}
      order by state = any($2), deadline, id`,
    only ? [states, endedStates, [...only]] : [states, endedStates],
  );
  return rows.map(requestOf);
}

/**
 * Notes that the step is done and what it showed, and stands at the next one. False where another runner was faster: what that one noted
 * stays.
 */
export async function noteStep(
  client: ClientBase,
  id: string,
  done: DoneStep,
  sealed: Buffer | null,
): Promise<boolean> {
  const next = stepAfter(done.step);
  const { rowCount } = await client.query(
    `update lethe_erasure.requests
        set steps = steps || $3::jsonb, step = $4, state = $5, sealed = $6, attempts = 0, problem = null, retry_at = clock_timestamp()
      where id = $1 and step = $2 and state in ('open', 'needs-person')`,
    [id, done.step, JSON.stringify([done]), next ?? done.step, next ? 'open' : 'done', sealed],
  );
  return rowCount === 1;
}

/** Notes that an attempt failed: it is made again after a while, or a person has to look. */
export async function noteFailure(
  client: ClientBase,
  { id, step }: Pick<ErasureRequest, 'id' | 'step'>,
  problem: string,
  again: { readonly inMs: number } | 'never',
): Promise<void> {
  await client.query(
    `update lethe_erasure.requests
        set attempts = attempts + 1, problem = $3, state = $4, retry_at = clock_timestamp() + $5 * interval '1 millisecond'
      where id = $1 and step = $2 and state in ('open', 'needs-person')`,
    [id, step, problem, again === 'never' ? 'needs-person' : 'open', again === 'never' ? 0 : again.inMs],
  );
}

/** Takes a request back, and the suppression with it; ERASURE_REFUSED once the key may be gone. */
export async function cancelRequest(client: ClientBase, id: string, principal: string): Promise<void> {
  await inTransaction(client, async () => {
    const found = await lockRequest(client, id);
    if (found.state === 'cancelled') return;
    if (found.state === 'refused') throw refused(`request ${id} is refused`, 'File another one.');
    if (found.state === 'done' || !isRevocable(found.step)) {
      throw refused(
        `request ${id} cannot be taken back: the person's key is destroyed`,
        'See `lethe erase status`.',
      );
    }
    await liftSuppression(client, id, found.subject, principal);
    await client.query(
      `update lethe_erasure.requests set state = 'cancelled', sealed = null, problem = null where id = $1`,
      [id],
    );
    await appendAudit(client, 'erasure-cancelled', { request: id }, principal);
  });
}

/** The request as it stands, and as long as the caller's transaction lasts; ERASURE_REFUSED where there is none. */
export async function lockRequest(client: ClientBase, id: string): Promise<ErasureRequest> {
  const { rows } = await client.query<Row>(
    `select ${columns} from lethe_erasure.requests where id = $1 for update`,
    [id],
  );
  if (!rows[0]) throw noSuchRequest(id);
  return requestOf(rows[0]);
}

export function noSuchRequest(id: string): LetheError {
  return refused(`there is no request ${id}`, '`lethe erase list` names those that there are.');
}

function refused(message: string, fix: string): LetheError {
  return new LetheError('ERASURE_REFUSED', message, { fix });
}

function isOf(request: ErasureRequest, { type, digest }: SubjectRef): boolean {
  return request.subject.type === type && request.subject.digest.equals(digest);
}

function requestOf(row: Row): ErasureRequest {
  return {
    id: row.id,
    subject: { type: row.subject_type, digest: row.subject_digest },
    reason: row.reason,
    requestedBy: row.requested_by,
    receivedAt: row.received_at,
    createdAt: row.created_at,
    deadline: row.deadline,
    approvals: {
      needed: row.approvals_needed,
      given: (row.approvals ?? []).map((given) => ({ ...given, at: new Date(given.at) })),
    },
    step: row.step,
    state: row.state,
    attempts: row.attempts,
    retryAt: row.retry_at,
    problem: row.problem,
    sealed: row.sealed,
    steps: row.steps,
    identity: row.identity,
    extension: row.extended_at && { at: row.extended_at, reason: row.extension ?? '' },
    ground: row.ground,
  };
}
