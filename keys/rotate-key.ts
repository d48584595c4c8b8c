import { randomBytes } from 'node:crypto';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { appendAudit } from './audit/audit-log.ts';
import { EpochRing } from './epoch-ring.ts';
import { inTransaction, withKeyStore } from './key-store-client.ts';
import type { SubjectKind } from './key-store.ts';
import { openMaster } from './master/open-master.ts';
import { subjectDigest } from './subject-digest.ts';
import { rootBytes } from './subject-key.ts';
import { epochOfWrapped, unwrapKey, wrapKey } from './wrapped-key.ts';

/** A subject's key in its newest generation. */
export interface RotatedKey {
  readonly keyId: string;
  readonly generation: number;
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
      // An epoch is not closed while a key is wrapped under it.
      await client.query(`select from lethe_keys.epochs where state = 'open' for share`);
      const { rows } = await client.query<{ key_id: string; generation: number; wrapped: Buffer | null }>(
        `select k.key_id, k.generation, k.wrapped from lethe_keys.data_keys k join lethe_keys.subjects s using (key_id)
          where s.subject_type = $1 and s.purpose = $2 and s.subject_digest = $3
          order by k.generation desc limit 1 for update of k`,
        [kind.type, kind.purpose ?? '', digest],
      );
      const newest = rows[0];
      if (!newest?.wrapped) {
        const why = newest ? 'was destroyed' : 'was never made';
        throw new LetheError('KEY_STORE_INVALID', `the key of this ${kind.type} ${why}`, {
          fix: newest
            ? 'A person who was forgotten has no key to rotate.'
            : 'Name a person of whom a row has come.',
        });
      }
      const ring = new EpochRing((text, values) => client.query(text, values), master);
      const { epoch, key } = await ring.current();
      const { key_id: keyId, wrapped } = newest;
      const roots = unwrapKey(ring.keyOf(epochOfWrapped(wrapped)), wrapped, keyId, newest.generation);
      const generation = newest.generation + 1;
      const next = Buffer.concat([randomBytes(rootBytes), roots.subarray(rootBytes)]);
      await client.query(
        'insert into lethe_keys.data_keys (key_id, generation, wrapped, epoch) values ($1, $2, $3, $4)',
        [keyId, generation, wrapKey(epoch, key, keyId, generation, next), epoch],
      );
      await appendAudit(client, 'key-rotated', { keyId, type: kind.type, generation });
      return { keyId, generation };
    }),
  );
}
