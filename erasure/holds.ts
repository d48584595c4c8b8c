import type { ClientBase } from 'pg';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction } from '../keys/key-store-client.ts';
import { LetheError } from '../schemas/errors.ts';
import type { SubjectRef } from './suppression.ts';

/** Tables of legal holds; each statement may be run again. */
export const holdStatements = [
  `create table if not exists lethe_erasure.holds (
     subject_type text not null,
     subject_digest bytea not null,
     basis text not null,
     held_by text not null,
     held_at timestamptz not null default clock_timestamp(),
     primary key (subject_type, subject_digest))`,
] as const;

/** That a person's data must be kept, and why (GDPR, Article 17(3)). */
export interface Hold {
  readonly basis: string;
  readonly heldAt: Date;
}

/** Puts a hold on a person; another basis takes the place of the one before. A request that has destroyed the key is past it. */
export async function placeHold(
  client: ClientBase,
  { type, digest }: SubjectRef,
  basis: string,
  principal: string,
): Promise<void> {
  await inTransaction(client, async () => {
    await client.query(
      `insert into lethe_erasure.holds (subject_type, subject_digest, basis, held_by) values ($1, $2, $3, $4)
       on conflict (subject_type, subject_digest) do update set basis = excluded.basis, held_by = excluded.held_by`,
      [type, digest, basis, principal],
    );
    await appendAudit(client, 'hold-placed', { type }, principal);
  });
}

/** Takes it off; ERASURE_REFUSED where there is none. */
export async function releaseHold(
  client: ClientBase,
  { type, digest }: SubjectRef,
  principal: string,
): Promise<void> {
  await inTransaction(client, async () => {
    const { rowCount } = await client.query(
      'delete from lethe_erasure.holds where subject_type = $1 and subject_digest = $2',
      [type, digest],
    );
    if (rowCount === 0) {
      throw new LetheError('ERASURE_REFUSED', 'this person is under no hold', {
        fix: 'Nothing is to be released.',
      });
    }
    await appendAudit(client, 'hold-released', { type }, principal);
  });
}

/** The hold that a person is under, by whichever of their ids. */
export async function findHold(
  client: Pick<ClientBase, 'query'>,
  { type, digest }: SubjectRef,
): Promise<Hold | undefined> {
  const { rows } = await client.query<Hold>(
    `select basis, held_at as "heldAt" from lethe_erasure.holds h
      where h.subject_type = $1
        and (h.subject_digest = $2
             or exists (select from lethe_keys.linked own join lethe_keys.linked other using (person)
                         where own.subject_type = $1 and own.subject_digest = $2
                           and other.subject_type = $1 and other.subject_digest = h.subject_digest))`,
    [type, digest],
  );
  return rows[0];
}

/** ERASURE_REFUSED for a person who is under a hold, by whichever of their ids. */
export async function refuseHeld(client: Pick<ClientBase, 'query'>, subject: SubjectRef): Promise<void> {
  const hold = await findHold(client, subject);
  if (!hold) return;
  throw new LetheError('ERASURE_REFUSED', underHold(hold), { fix: waysOut });
}

/** What is to be said of a person who is under one. */
export function underHold({ basis }: Hold): string {
  return `the person is under a legal hold: ${basis}`;
}

export const waysOut =
  'Release it with `lethe erase release`, then `lethe erase resume`; or refuse the request with its ground.';
