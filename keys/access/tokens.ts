import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { appendAudit } from '../audit/audit-log.ts';
import { inTransaction, withKeyStore } from '../key-store-client.ts';
import { senseless } from './access-error.ts';
import { roleOfPrincipal } from './known-principal.ts';
import { newToken } from './token.ts';

type Place = Pick<Config, 'keys'>;

/** A token that was just made; its text is shown once and kept nowhere. */
export interface IssuedToken {
  readonly id: string;
  readonly text: string;
  readonly expiresAt: Date;
}

export const defaultTokenMs = 90 * 86_400_000;
const longestTokenMs = 366 * 86_400_000;

/** Makes a token of a principal, valid so long, a year at most. CONFIG_INVALID for one who is not there. */
export async function issueToken(
  config: Place,
  principal: string,
  validMs: number,
  by: string,
): Promise<IssuedToken> {
  return withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      await roleOfPrincipal(client, principal);
      return issueWithin(client, principal, validMs, by);
    }),
  );
}

/** The same within a transaction, of somebody who is there. */
export async function issueWithin(
  client: ClientBase,
  principal: string,
  validMs: number,
  by: string,
): Promise<IssuedToken> {
  if (validMs < 1 || validMs > longestTokenMs) {
    throw senseless('a token is valid for a year at most', 'Give a shorter time with --expires.');
  }
  const { id, text, hash } = newToken();
  const { rows } = await client.query<{ expires: Date }>(
    `insert into lethe_keys.tokens (id, principal, hash, created_at, expires_at)
     values ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4 * interval '1 millisecond') returning expires_at as expires`,
    [id, principal, hash, validMs],
  );
  await appendAudit(client, 'token-made', { principal, token: id, validMs }, by);
  return { id, text, expiresAt: rows[0]!.expires };
}

/** Revokes a token of this principal, at once; CONFIG_INVALID for an id of none. Doing so again changes nothing. */
export async function revokeToken(config: Place, principal: string, id: string, by: string): Promise<void> {
  await withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      const { rows } = await client.query<{ revoked: boolean }>(
        `select revoked_at is not null as revoked from lethe_keys.tokens where id::text = $1 and principal = $2 for update`,
        [id, principal],
      );
      if (!rows[0]) {
        throw senseless(
          'this principal has no token with this id',
          '`lethe access list` names those that are.',
        );
      }
      if (rows[0].revoked) return;
      await client.query('update lethe_keys.tokens set revoked_at = clock_timestamp() where id::text = $1', [
        id,
      ]);
      await appendAudit(client, 'token-revoked', { principal, token: id }, by);
    }),
  );
}
