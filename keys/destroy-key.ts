import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Config } from '../schemas/config.ts';
import { appendAudit } from './audit/audit-log.ts';
import { notSetUp } from './epoch-ring.ts';
import { inTransaction, withKeyStore } from './key-store-client.ts';
import type { SubjectKind } from './key-store.ts';
import { subjectDigest } from './subject-digest.ts';

/** A subject's key after its destruction. */
export interface DestroyedKey {
  /** What stands in the ciphertexts that nobody opens any more. */
  readonly keyId: string;
  /** How many generations were destroyed; 0 where all were before. */
  readonly generations: number;
}

/**
 * Destroys a subject's key in all its generations, and writes it into the audit. A subject who had none gets one that is destroyed: no event
 * that comes later makes another. Doing so again changes nothing.
 *
 * Every running process has dropped it a key lease later ({@link keyLeaseMs}). What databases remember of it is undecipherable after
 * the next {@link turnEpoch}.
 */
export async function destroyKey(
  config: Pick<Config, 'keys'>,
  kind: SubjectKind,
  id: string,
): Promise<DestroyedKey> {
  const digest = await subjectDigest(config, kind, id);
  return withKeyStore(config, (client) => destroyKeyOf(client, kind, digest));
}

/** The same over a connection of the caller's, in no transaction, by the subject's digest. */
export async function destroyKeyOf(
  client: ClientBase,
  kind: SubjectKind,
  digest: Buffer,
): Promise<DestroyedKey> {
  return inTransaction(client, () => destroyKeyWithin(client, kind, digest));
}

/** The same within the caller's transaction, which must end soon. */
export async function destroyKeyWithin(
  client: ClientBase,
  kind: SubjectKind,
  digest: Buffer,
): Promise<DestroyedKey> {
  // Whoever looks for destroyed keys looks a minute back: see DestroyedKeys.
  await client.query(`set local statement_timeout = '10s'`);
  const keyId = (await find(client, kind, digest)) ?? (await bar(client, kind, digest));
  const { rowCount } = await client.query(
    `update lethe_keys.data_keys set wrapped = null, destroyed_at = clock_timestamp()
      where key_id = $1 and wrapped is not null`,
    [keyId],
  );
  const generations = rowCount ?? 0;
  await appendAudit(client, 'key-destroyed', { keyId, type: kind.type, generations });
  return { keyId, generations };
}

async function find(
  client: ClientBase,
  { type, purpose }: SubjectKind,
  digest: Buffer,
): Promise<string | undefined> {
  const { rows } = await client.query<{ key_id: string }>(
    `select key_id from lethe_keys.subjects
      where subject_type = $1 and purpose = $2 and subject_digest = $3 for update`,
    [type, purpose ?? '', digest],
  );
  return rows[0]?.key_id;
}

/** A key that never was, destroyed; that of somebody who made one at this moment, if so. */
async function bar(client: ClientBase, kind: SubjectKind, digest: Buffer): Promise<string> {
  const keyId = randomUUID();
  const { rowCount } = await client.query(
    `insert into lethe_keys.subjects (subject_type, purpose, subject_digest, key_id) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [kind.type, kind.purpose ?? '', digest, keyId],
  );
  if (rowCount === 0) return (await find(client, kind, digest))!;
  const made = await client.query(
    `insert into lethe_keys.data_keys (key_id, generation, epoch, destroyed_at)
     select $1, 1, epoch, clock_timestamp() from lethe_keys.epochs where state = 'open'`,
    [keyId],
  );
  if (made.rowCount === 0) throw notSetUp();
  return keyId;
}
