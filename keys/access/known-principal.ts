import type { ClientBase } from 'pg';
import { senseless } from './access-error.ts';
import type { Role } from './permissions.ts';

/** The role of somebody who is there and was not disabled; CONFIG_INVALID else. */
export async function roleOfPrincipal(client: ClientBase, name: string): Promise<Role> {
  const { rows } = await client.query<{ role: Role }>(
    'select role from lethe_keys.principals where name = $1 and disabled_at is null and role is not null',
    [name],
  );
  if (rows[0]) return rows[0].role;
  throw senseless(
    'there is no such principal, or he was disabled',
    '`lethe access list` names those that are.',
  );
}
