import type { ClientBase } from 'pg';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction } from '../keys/key-store-client.ts';
import { actingPrincipal } from '../keys/access/acting-principal.ts';

/** A person, as the key store finds them. */
export interface SubjectRef {
  readonly type: string;
  /** Keyed digest of the person's id. */
  readonly digest: Buffer;
}

/**
 * Nothing of the person passes any more, in a process that looks: it gets no key, and its rows become deletes. Doing so again changes
 * nothing. Returns when it was done, by the key store's clock.
 */
export async function suppress(
  client: ClientBase,
  request: string,
  { type, digest }: SubjectRef,
): Promise<Date> {
  return inTransaction(client, async () => {
    const { rowCount } = await client.query(
      `insert into lethe_keys.suppressed (subject_type, subject_digest, request) values ($1, $2, $3)
       on conflict do nothing`,
      [type, digest, request],
    );
    if (rowCount === 1) await appendAudit(client, 'subject-suppressed', { request, type });
    const { rows } = await client.query<{ at: Date }>(
      'select suppressed_at as at from lethe_keys.suppressed where subject_type = $1 and subject_digest = $2',
      [type, digest],
    );
    return rows[0]!.at;
  });
}

/** Takes it back, for a request that is cancelled; nothing where another request suppressed the person. */
export async function liftSuppression(
  client: ClientBase,
  request: string,
  { type, digest }: SubjectRef,
  principal = actingPrincipal(),
): Promise<void> {
  const { rowCount } = await client.query(
    'delete from lethe_keys.suppressed where subject_type = $1 and subject_digest = $2 and request = $3',
    [type, digest, request],
  );
  if (rowCount === 1) await appendAudit(client, 'suppression-lifted', { request, type }, principal);
}
