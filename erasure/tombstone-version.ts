import type { ClientBase } from 'pg';
import { parseVersion, type Version } from '../schemas/version.ts';
import type { SubjectRef } from './suppression.ts';

/** The version of the newest tombstones that requests wrote for this person's records; undefined where none came as far. */
export async function newestTombstones(
  client: ClientBase,
  { type, digest }: SubjectRef,
): Promise<Version | undefined> {
  // Text order is version order.
  const { rows } = await client.query<{ barrier: string | null }>(
    `select max((done -> 'evidence' ->> 'position') collate "C") as barrier
       from lethe_erasure.requests cross join jsonb_array_elements(steps) done
      where subject_type = $1 and subject_digest = $2 and done ->> 'step' = 'suppressed'`,
    [type, digest],
  );
  const barrier = parseVersion(rows[0]?.barrier ?? '');
  return barrier && { ...barrier, seq: barrier.seq + 1n };
}
