import type { ClientBase } from 'pg';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction } from '../keys/key-store-client.ts';
import { LetheError } from '../schemas/errors.ts';
import { liftSuppression, type SubjectRef } from './suppression.ts';

/** Tables of restrictions; each statement may be run again. */
export const restrictionStatements = [
  `create table if not exists lethe_erasure.restrictions (
     id text primary key,
     subject_type text not null,
     subject_digest bytea not null,
     reason text not null,
     restricted_by text not null,
     restricted_at timestamptz not null default clock_timestamp(),
     lifted_by text,
     lifted_at timestamptz)`,
  `create unique index if not exists restrictions_one on lethe_erasure.restrictions (subject_type, subject_digest)
     where lifted_at is null`,
] as const;

/** That a person's data is stored at the source and processed nowhere (GDPR, Article 18). */
export interface Restriction {
  readonly id: string;
  readonly reason: string;
  readonly restrictedAt: Date;
}

const columns = 'id, reason, restricted_at as "restrictedAt"';

/**
 * Notes the restriction of a person; the one that there is stays. ERASURE_REFUSED for who is being erased, or was. `id`: of a new one, and
 * what the suppression is called by.
 */
export async function fileRestriction(
  client: ClientBase,
  id: string,
  { type, digest }: SubjectRef,
  reason: string,
  principal: string,
): Promise<Restriction> {
  return inTransaction(client, async () => {
    await refuseErased(client, { type, digest });
    const { rowCount } = await client.query(
      `insert into lethe_erasure.restrictions (id, subject_type, subject_digest, reason, restricted_by)
       values ($1, $2, $3, $4, $5) on conflict do nothing`,
      [id, type, digest, reason, principal],
    );
    if (rowCount === 1) await appendAudit(client, 'subject-restricted', { restriction: id, type }, principal);
    return (await findRestriction(client, { type, digest }))!;
  });
}

/**
 * Notes a restriction that a key store which was restored from a backup does not have. Its reason is lost. The one that there is stays, and
 * doing so again changes nothing.
 */
export async function restoreRestriction(
  client: ClientBase,
  id: string,
  { type, digest }: SubjectRef,
  principal: string,
): Promise<void> {
  await inTransaction(client, async () => {
    const { rowCount } = await client.query(
      `insert into lethe_erasure.restrictions (id, subject_type, subject_digest, reason, restricted_by)
       values ($1, $2, $3, 'restored by lethe keys recover; its reason is lost', $4) on conflict do nothing`,
      [id, type, digest, principal],
    );
    if (rowCount === 1) await appendAudit(client, 'subject-restricted', { restriction: id, type }, principal);
  });
}

/** The restriction that a person is under. */
export async function findRestriction(
  client: ClientBase,
  { type, digest }: SubjectRef,
): Promise<Restriction | undefined> {
  const { rows } = await client.query<Restriction>(
    `select ${columns} from lethe_erasure.restrictions
      where subject_type = $1 and subject_digest = $2 and lifted_at is null`,
    [type, digest],
  );
  return rows[0];
}

/**
 * The person's data may pass again. The restriction itself stands until {@link endRestriction}: whoever is cut short before the rows were read
 * again begins here anew. ERASURE_REFUSED where there is none, and for who is being erased, or was: what suppresses those stays.
 */
export async function openRestriction(
  client: ClientBase,
  subject: SubjectRef,
  principal: string,
): Promise<Restriction> {
  return inTransaction(client, async () => {
    await refuseErased(client, subject);
    const found = await findRestriction(client, subject);
    if (!found) {
      throw new LetheError('ERASURE_REFUSED', 'this person is under no restriction', {
        fix: 'Nothing is to be lifted.',
      });
    }
    await liftSuppression(client, found.id, subject, principal);
    return found;
  });
}

/** The restriction is over: the rows were asked for again. */
export async function endRestriction(client: ClientBase, id: string, principal: string): Promise<void> {
  await inTransaction(client, async () => {
    const { rowCount } = await client.query(
      `update lethe_erasure.restrictions set lifted_by = $2, lifted_at = clock_timestamp()
        where id = $1 and lifted_at is null`,
      [id, principal],
    );
    if (rowCount === 1) await appendAudit(client, 'restriction-lifted', { restriction: id }, principal);
  });
}

/** A request is filed before it suppresses: whoever does not see one here has his suppression made anew by it. */
async function refuseErased(client: ClientBase, { type, digest }: SubjectRef): Promise<void> {
  const { rows } = await client.query<{ id: string; state: string }>(
    `select id, state from lethe_erasure.requests
      where subject_type = $1 and subject_digest = $2
        and (state in ('open', 'needs-person') or state = 'done' and not exists (
          -- Who was readmitted has a key again.
          select from lethe_keys.subjects s join lethe_keys.data_keys k using (key_id)
           where s.subject_type = $1 and s.purpose = '' and s.subject_digest = $2 and k.wrapped is not null))
      limit 1`,
    [type, digest],
  );
  const request = rows[0];
  if (!request) return;
  throw new LetheError(
    'ERASURE_REFUSED',
    `request ${request.id} for the erasure of this person is ${request.state}`,
    {
      fix: `See \`lethe erase status ${request.id}\`.`,
    },
  );
}
