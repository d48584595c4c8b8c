import { randomBytes } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { actingPrincipal } from './access/acting-principal.ts';
import { appendAudit } from './audit/audit-log.ts';
import { EpochRing } from './epoch-ring.ts';
import { inTransaction, withKeyStore } from './key-store-client.ts';
import type { SubjectKind } from './key-store.ts';
import { openMaster } from './master/open-master.ts';
import type { MasterKeys } from './master/master-key.ts';
import { subjectDigest } from './subject-digest.ts';
import { rootBytes } from './subject-key.ts';
import { epochOfWrapped, unwrapKey, wrapKey } from './wrapped-key.ts';

/** A subject's key in its newest generation. */
export interface RotatedKey {
  readonly keyId: string;
  readonly generation: number;
}

/** A key in its newest generation, whose subject's row the caller's transaction holds; `wrapped` is null where it was destroyed. */
export interface HeldKey extends RotatedKey {
  readonly type: string;
  readonly wrapped: Buffer | null;
}

/**
 * Gives a subject's key the next generation. What is encrypted from then on is under it, in each process once it reads the key anew (five
 * minutes at most); what was encrypted before stays readable, and pseudonyms stay what they are. KEY_STORE_INVALID for a subject
 * who has no key, or whose key was destroyed.
 */
export async function rotateKey(
  config: Pick<Config, 'keys'>,
  kind: SubjectKind,
  id: string,
): Promise<RotatedKey> {
  const digest = await subjectDigest(config, kind, id);
  const master = openMaster(config.keys.master);
  return withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      await holdEpoch(client);
      const { rows } = await client.query<{ key_id: string }>(
        'select key_id from lethe_keys.subjects where subject_type = $1 and purpose = $2 and subject_digest = $3',
        [kind.type, kind.purpose ?? '', digest],
      );
      const newest = rows[0] && (await holdKey(client, rows[0].key_id));
      if (!newest?.wrapped) {
        const why = newest ? 'was destroyed' : 'was never made';
        throw new LetheError('KEY_STORE_INVALID', `the key of this ${kind.type} ${why}`, {
          fix: newest
            ? 'A person who was forgotten has no key to rotate.'
            : 'Name a person of whom a row has come.',
        });
      }
      return nextGeneration(client, master, newest);
    }),
  );
}

/** Until the caller's transaction ends: an epoch is not closed while a key is wrapped under it. To be taken before anything else is. */
export async function holdEpoch(client: ClientBase): Promise<void> {
  await client.query(`select from lethe_keys.epochs where state = 'open' for share`);
}

/**
 * The key in its newest generation, held until the caller's transaction ends: whoever rotates or destroys it takes turns. The subject's row
 * is held first, and the newest generation looked for then: it may have come while one waited. Undefined where no subject has the key.
 */
export async function holdKey(client: ClientBase, keyId: string): Promise<HeldKey | undefined> {
  const subject = await client.query<{ type: string }>(
    'select subject_type as type from lethe_keys.subjects where key_id = $1 for update',
    [keyId],
  );
  if (!subject.rows[0]) return undefined;
  const { rows } = await client.query<{ generation: number; wrapped: Buffer | null }>(
    `select generation, wrapped from lethe_keys.data_keys where key_id = $1
      order by generation desc limit 1 for update`,
    [keyId],
  );
  return rows[0] && { keyId, type: subject.rows[0].type, ...rows[0] };
}

/**
 * Makes the next generation of a key that is there, within the transaction that holds it and the epoch, and writes it into the audit. The
 * root of all generations stays.
 */
export async function nextGeneration(
  client: ClientBase,
  master: MasterKeys,
  { keyId, type, generation: before, wrapped }: HeldKey,
  principal = actingPrincipal(),
): Promise<RotatedKey> {
  const ring = new EpochRing((text, values) => client.query(text, values), master);
  const { epoch, key } = await ring.current();
  const roots = unwrapKey(ring.keyOf(epochOfWrapped(wrapped!)), wrapped!, keyId, before);
  const generation = before + 1;
  const next = Buffer.concat([randomBytes(rootBytes), roots.subarray(rootBytes)]);
  await client.query(
    'insert into lethe_keys.data_keys (key_id, generation, wrapped, epoch) values ($1, $2, $3, $4)',
    [keyId, generation, wrapKey(epoch, key, keyId, generation, next), epoch],
  );
  await appendAudit(client, 'key-rotated', { keyId, type, generation }, principal);
  return { keyId, generation };
}
