import type { Config } from '../../schemas/config.ts';
import { withKeyStore } from '../key-store-client.ts';
import type { Role } from './permissions.ts';
import { isAccessOpen } from './require-permission.ts';

export interface ListedToken {
  readonly principal: string;
  readonly id: string;
  readonly expiresAt: Date;
  readonly revoked: boolean;
  /** `YYYY-MM-DD`; null if never. */
  readonly lastUsed: string | null;
}

export interface ListedGrant {
  readonly principal: string;
  readonly id: string;
  readonly table: string;
  readonly classification: string;
  readonly why: string;
  readonly grantedBy: string;
  readonly expiresAt: Date | null;
  readonly revoked: boolean;
}

export interface ListedPrincipal {
  readonly name: string;
  /** Null of one whose tokens tell it. */
  readonly role: Role | null;
  readonly disabled: boolean;
  readonly tokens: readonly ListedToken[];
  readonly grants: readonly ListedGrant[];
}

/** Who may do what. */
export interface AccessList {
  /** Whether whoever has lethe.yaml may do all, see `isAccessOpen`. */
  readonly open: boolean;
  readonly principals: readonly ListedPrincipal[];
}

/** All principals by name, those that were disabled too; one of an identity provider as far as he was granted or refused something here. */
export async function listAccess(
  config: Pick<Config, 'keys' | 'access' | 'environment'>,
): Promise<AccessList> {
  return withKeyStore(config, async (client) => {
    const principals = await client.query<Pick<ListedPrincipal, 'name' | 'role' | 'disabled'>>(
      `select name, role, disabled_at is not null as disabled from lethe_keys.principals
       union all select distinct principal, null, false from lethe_keys.grants g
        where not exists (select from lethe_keys.principals where name = g.principal) order by 1`,
    );
    const tokens = await client.query<ListedToken>(
      `select principal, id::text, expires_at as "expiresAt", revoked_at is not null as revoked, last_used::text as "lastUsed"
         from lethe_keys.tokens order by created_at`,
    );
    const grants = await client.query<ListedGrant>(
      `select principal, id::text, table_name as "table", classification, why, granted_by as "grantedBy",
              expires_at as "expiresAt", revoked_at is not null as revoked
         from lethe_keys.grants order by created_at`,
    );
    const of = <T extends { principal: string }>(rows: readonly T[], name: string) =>
      rows.filter(({ principal }) => principal === name);
    return {
      open: await isAccessOpen(client, config),
      principals: principals.rows.map((principal) => ({
        ...principal,
        tokens: of(tokens.rows, principal.name),
        grants: of(grants.rows, principal.name),
      })),
    };
  });
}
