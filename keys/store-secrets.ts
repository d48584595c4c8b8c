import { randomBytes } from 'node:crypto';
import type { ClientBase } from 'pg';
import { LetheError } from '../schemas/errors.ts';
import { appendAudit } from './audit/audit-log.ts';
import type { EpochKey } from './epoch-ring.ts';
import { laterSecrets, secretNames, signingSecret } from './schema.ts';
import { signingKeyOf } from './signing-key.ts';
import { rootBytes } from './subject-key.ts';
import { wrapKey } from './wrapped-key.ts';

/**
 * Which secrets a key store that is in use still lacks, since it was made by an earlier version; undefined for one that was never in use.
 * KEY_STORE_INVALID where one was lost: another one in its place would open nothing, and nobody would be told.
 */
export async function lackingSecrets(client: ClientBase): Promise<string[] | undefined> {
  const { rows } = await client.query<{ open: boolean; names: string[] }>(
    `select exists (select from lethe_keys.epochs where state = 'open') as open,
            array(select name from lethe_keys.secrets) as names`,
  );
  const { open, names } = rows[0]!;
  if (!open) return undefined;
  const lacking = secretNames.filter((name) => !names.includes(name));
  const lost = lacking.find((name) => !laterSecrets.includes(name));
  if (lost === undefined) return lacking;
  throw new LetheError('KEY_STORE_INVALID', `the key store has lost its secret ${lost}`, {
    fix: 'Bring back the newest state of the key store; what an older one means for those who were erased: docs/keys.md.',
  });
}

/**
 * Makes these secrets, within a transaction that holds the key store's lock, and gives the fingerprint of the signing key, if it is among
 * them: it stands in the audit, so that a key put in its place later is found.
 */
export async function makeSecrets(
  client: ClientBase,
  { epoch, key }: EpochKey,
  names: readonly string[],
): Promise<string | undefined> {
  let fingerprint: string | undefined;
  for (const name of names) {
    const secret = randomBytes(rootBytes);
    await client.query('insert into lethe_keys.secrets (name, wrapped, epoch) values ($1, $2, $3)', [
      name,
      wrapKey(epoch, key, name, 0, secret),
      epoch,
    ]);
    if (name === signingSecret) fingerprint = signingKeyOf(secret).fingerprint;
    secret.fill(0);
  }
  return fingerprint;
}

/** Gives a key store of an earlier version what it lacks. */
export async function completeSecrets(
  client: ClientBase,
  epoch: EpochKey,
  names: readonly string[],
): Promise<void> {
  const fingerprint = await makeSecrets(client, epoch, names);
  if (fingerprint !== undefined) await appendAudit(client, 'signing-key-made', { fingerprint });
}
