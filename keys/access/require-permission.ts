import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import { appendAudit, writeAudit } from '../audit/audit-log.ts';
import { inTransaction, withKeyStore } from '../key-store-client.ts';
import { refused } from './access-error.ts';
import { actAs, localPrincipal } from './acting-principal.ts';
import { authenticate } from './authenticate.ts';
import type { GlassUse } from './glass.ts';
import { usableGlass } from './glass-store.ts';
import { may, type Permission, type Role } from './permissions.ts';

export type GuardedPlace = Pick<Config, 'keys' | 'access' | 'environment'>;

/** Who does it, and by what right. */
export interface Acting {
  readonly name: string;
  /** Undefined for this machine's user, where access is open. */
  readonly role?: Role;
  /** Since when he can have been here; undefined where nobody knows. */
  readonly since?: Date;
}

export interface PermissionOptions {
  /** What an open glass must be for, each of these, where the role alone does not do. */
  readonly glass?: readonly GlassUse[];
  /** What the process was started with. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Whoever runs this process, if he may: the principal of LETHE_TOKEN; this machine's user where access is open and no token is shown. The
 * audit names him from then on. ACCESS_REFUSED for anybody else, which stands in the audit before it is thrown.
 */
export async function requirePermission(
  config: GuardedPlace,
  permission: Permission,
  { glass, env = process.env }: PermissionOptions = {},
): Promise<Acting> {
  try {
    const acting = await whoActs(config, env['LETHE_TOKEN']);
    actAs(acting.name);
    if (acting.role === undefined || may(acting.role, permission)) return acting;
    if (glass && (await breaksGlass(config, acting.name, glass))) return acting;
    throw refused('role', acting.name);
  } catch (error) {
    await writeRefusal(config, error, permission);
    throw error;
  }
}

/**
 * Whether whoever has lethe.yaml may do all, as it was before there were principals: outside of production, and until the first principal
 * was made or an identity provider was named.
 */
export async function isAccessOpen(
  client: ClientBase,
  config: Pick<Config, 'access' | 'environment'>,
): Promise<boolean> {
  if (config.environment !== 'production') return true;
  if (config.access) return false;
  const { rows } = await client.query<{ open: boolean }>(
    'select not exists (select from lethe_keys.principals) as open',
  );
  return rows[0]!.open;
}

/** Writes down who was refused what, and why; nothing for any other error. `more`: numbers that the caller has. */
export async function writeRefusal(
  config: Pick<Config, 'keys'>,
  error: unknown,
  what: string,
  more: Readonly<Record<string, number>> = {},
): Promise<void> {
  if (!(error instanceof LetheError) || error.code !== 'ACCESS_REFUSED') return;
  const { principal, ...detail } = error.detail;
  await writeAudit(
    config,
    'access-refused',
    { ...detail, ...more, for: what },
    String(principal ?? 'unknown'),
  );
}

async function whoActs(config: GuardedPlace, token: string | undefined): Promise<Acting> {
  if (token !== undefined && token !== '') return authenticate(config, token);
  const open = await withKeyStore(config, (client) => isAccessOpen(client, config));
  if (!open) throw refused('no-token');
  return { name: localPrincipal() };
}

/** Whether there is an open glass for each use; that each was used stands in the audit then. */
async function breaksGlass(config: GuardedPlace, name: string, uses: readonly GlassUse[]): Promise<boolean> {
  return withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      const ids = new Set<string>();
      for (const use of uses) {
        const found = await usableGlass(client, name, use);
        if (!found) return false;
        ids.add(found.id);
      }
      for (const glass of ids) await appendAudit(client, 'glass-used', { glass }, name);
      return ids.size > 0;
    }),
  );
}
