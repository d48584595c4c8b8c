import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { appendAudit } from '../audit/audit-log.ts';
import { inTransaction, lockKeyStore, withKeyStore } from '../key-store-client.ts';
import { senseless } from './access-error.ts';
import { roleOfPrincipal } from './known-principal.ts';
import { may, type Role, rolePermissions } from './permissions.ts';
import { oidcName, principalName } from './principal.ts';
import { type IssuedToken, issueWithin } from './tokens.ts';

type Place = Pick<Config, 'keys'>;

/**
 * Makes a principal. The first one gets a token at once, valid so long: from then on nobody without one is let in, so that he must be of a
 * role that manages access; not so where an identity provider has others. CONFIG_INVALID for a name that is none, or taken. `by`: who makes him, for the audit.
 */
export async function addPrincipal(
  config: Place & Pick<Config, 'access'>,
  { name, role, tokenMs }: { readonly name: string; readonly role: Role; readonly tokenMs: number },
  by: string,
): Promise<IssuedToken | undefined> {
  if (!principalName.test(name)) {
    throw senseless(
      'a name has lower-case letters, digits, _, . and -, at most 63',
      'Name a job or a number rather than a person: the audit keeps it for good.',
    );
  }
  return withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      await lockKeyStore(client);
      const isFirst = !config.access && !(await anybody(client));
      if (isFirst && !may(role, 'access:manage')) {
        const managing = Object.keys(rolePermissions).filter((r) => may(r as Role, 'access:manage'));
        throw senseless(
          'the first principal must be one who manages access: nobody could make another',
          `Give the role ${managing.join(' or ')}.`,
        );
      }
      const { rowCount } = await client.query(
        'insert into lethe_keys.principals (name, role) values ($1, $2) on conflict do nothing',
        [name, role],
      );
      if (rowCount === 0) throw senseless(`there is a principal ${name} already`, 'Give another name.');
      await appendAudit(client, 'principal-added', { name, role }, by);
      return isFirst ? issueWithin(client, name, tokenMs, by) : undefined;
    }),
  );
}

/**
 * Keeps a principal out for good, his tokens and grants with him; one of an identity provider, `oidc:…`, too. CONFIG_INVALID for one that is
 * not there, or who is the last one here that manages access.
 */
export async function disablePrincipal(
  config: Place & Pick<Config, 'access'>,
  name: string,
  by: string,
): Promise<void> {
  await withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      await lockKeyStore(client);
      if (oidcName.test(name)) {
        await client.query(
          'insert into lethe_keys.principals (name, disabled_at) values ($1, clock_timestamp()) on conflict do nothing',
          [name],
        );
      } else await requireOthers(client, name, config.access !== undefined);
      await client.query(
        'update lethe_keys.principals set disabled_at = coalesce(disabled_at, clock_timestamp()) where name = $1',
        [name],
      );
      for (const table of ['tokens', 'grants']) {
        await client.query(
          `update lethe_keys.${table} set revoked_at = clock_timestamp() where principal = $1 and revoked_at is null`,
          [name],
        );
      }
      await appendAudit(client, 'principal-disabled', { name }, by);
    }),
  );
}

async function anybody(client: ClientBase): Promise<boolean> {
  const { rowCount } = await client.query('select from lethe_keys.principals where role is not null limit 1');
  return rowCount !== 0;
}

/** `elsewhere`: an identity provider has principals of its own. */
async function requireOthers(client: ClientBase, name: string, elsewhere: boolean): Promise<void> {
  const role = await roleOfPrincipal(client, name);
  if (elsewhere || !may(role, 'access:manage')) return;
  const { rows } = await client.query<{ role: Role }>(
    'select role from lethe_keys.principals where name <> $1 and disabled_at is null and role is not null',
    [name],
  );
  if (rows.some((other) => may(other.role, 'access:manage'))) return;
  throw senseless('he is the last one who manages access', 'Make another first: `lethe access add`.');
}
