import { randomBytes, randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { appendAudit } from './audit/audit-log.ts';
import { EpochRing } from './epoch-ring.ts';
import { inTransaction, withKeyStore } from './key-store-client.ts';
import type { SubjectKind } from './key-store.ts';
import { openMaster } from './master/open-master.ts';
import { rootBytes } from './subject-key.ts';
import { wrapKey } from './wrapped-key.ts';

/**
 * Lets a person come back who was erased: under a new key, which opens nothing of what was before, and with nothing that suppresses them. The
 * old key stays destroyed. KEY_STORE_INVALID for a person whose key is there.
 */
export async function readmitSubject(
  config: Pick<Config, 'keys'>,
  { type }: SubjectKind,
  digest: Buffer,
  principal: string,
): Promise<{ readonly keyId: string }> {
  const master = openMaster(config.keys.master);
  return withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      // An epoch is not closed while a key is wrapped under it.
      await client.query(`select from lethe_keys.epochs where state = 'open' for share`);
      await requireErased(client, type, digest);
      const ring = new EpochRing((text, values) => client.query(text, values), master);
      const { epoch, key } = await ring.current();
      const keyId = randomUUID();
      await client.query(
        `update lethe_keys.subjects set key_id = $3, created_at = clock_timestamp()
          where subject_type = $1 and purpose = '' and subject_digest = $2`,
        [type, digest, keyId],
      );
      await client.query(
        'insert into lethe_keys.data_keys (key_id, generation, wrapped, epoch) values ($1, 1, $2, $3)',
        [keyId, wrapKey(epoch, key, keyId, 1, randomBytes(2 * rootBytes)), epoch],
      );
      await client.query(
        'delete from lethe_keys.suppressed where subject_type = $1 and subject_digest = $2',
        [type, digest],
      );
      await appendAudit(client, 'subject-readmitted', { type, keyId }, principal);
      return { keyId };
    }),
  );
}

/** KEY_STORE_INVALID for who has a key, or never had one. */
export async function requireErased(client: ClientBase, type: string, digest: Buffer): Promise<void> {
  const { rows } = await client.query<{ kept: number }>(
    `select count(k.wrapped)::int as kept from lethe_keys.subjects s join lethe_keys.data_keys k using (key_id)
      where s.subject_type = $1 and s.purpose = '' and s.subject_digest = $2 having count(*) > 0`,
    [type, digest],
  );
  if (rows[0]?.kept === 0) return;
  throw new LetheError('KEY_STORE_INVALID', `the key of this ${type} is not destroyed`, {
    fix: 'Only who was erased can be readmitted.',
  });
}
