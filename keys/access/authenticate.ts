import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { withKeyStore } from '../key-store-client.ts';
import { refused } from './access-error.ts';
import { verifyJwt } from './jwt.ts';
import type { Principal } from './principal.ts';
import { checkToken, parseToken, type TokenParts, type TokenRow } from './token.ts';

export type AccessPlace = Pick<Config, 'keys' | 'access'>;

/**
 * Who shows this token: one that this key store made, or a JWT of the identity provider that lethe.yaml names. ACCESS_REFUSED for any
 * other, see {@link refused}; KEY_STORE_UNAVAILABLE where nobody can say. Nothing is written into the audit: see `writeRefusal`.
 */
export async function authenticate(config: AccessPlace, text: string): Promise<Principal> {
  const parts = parseToken(text);
  if (parts) return withKeyStore(config, (client) => byToken(client, parts));
  // Three parts, joined by dots: anything else is no JWT, and nobody is asked for a key set.
  if (!config.access || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) throw refused('malformed');
  const principal = await verifyJwt(config.access, text);
  await withKeyStore(config, async (client) => {
    if (await isDisabled(client, principal.name)) throw refused('disabled', principal.name);
  });
  return principal;
}

async function byToken(client: ClientBase, parts: TokenParts): Promise<Principal> {
  const { rows } = await client.query<TokenRow>(
    `select t.id::text, t.hash, t.principal, p.role, greatest(t.created_at, p.created_at) as created, t.expires_at as expires,
            t.revoked_at is not null as "isRevoked", p.disabled_at is not null as "isDisabled", clock_timestamp() as now
       from lethe_keys.tokens t join lethe_keys.principals p on p.name = t.principal where t.id = $1`,
    [parts.id],
  );
  const principal = checkToken(parts, rows[0]);
  // The day alone: when somebody works is nobody's business.
  await client.query(
    'update lethe_keys.tokens set last_used = current_date where id = $1 and last_used is distinct from current_date',
    [parts.id],
  );
  return principal;
}

/** Whether somebody is kept out, whatever he shows. */
export async function isDisabled(client: ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'select from lethe_keys.principals where name = $1 and disabled_at is not null',
    [name],
  );
  return rowCount !== 0;
}
