import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { appendAudit } from '../audit/audit-log.ts';
import { inTransaction, withKeyStore } from '../key-store-client.ts';
import { senseless } from './access-error.ts';
import { may } from './permissions.ts';
import { oidcName } from './principal.ts';
import { roleOfPrincipal } from './known-principal.ts';

type Place = Pick<Config, 'keys'>;

/** What a consumer may open: values of a table under a classification; `*` stands for all. */
export interface GrantRequest {
  readonly principal: string;
  readonly table: string;
  readonly classification: string;
  /** For what purpose: a text of people, which stands in no audit. */
  readonly why: string;
  /** How long; default: until it is revoked. */
  readonly validMs?: number;
}

const anyOr = (pattern: RegExp) => (text: string) => text === '*' || pattern.test(text);
const isTable = anyOr(/^\w+\.\w+$/);
const isClassification = anyOr(/^[A-Za-z0-9][\w.-]{0,99}$/);

/** Grants it; the grant's id. CONFIG_INVALID for somebody who may not decrypt, for oneself, or for no purpose. */
export async function grantAccess(config: Place, asked: GrantRequest, by: string): Promise<string> {
  const { principal, table, classification, validMs } = asked;
  const why = asked.why.trim();
  if (why === '') throw senseless('a grant has a purpose', 'Give it with --why.');
  if (principal === by) throw senseless('nobody grants to himself', 'Have another one grant it.');
  if (!isTable(table) || !isClassification(classification)) {
    throw senseless(
      'a grant is for a table, schema.table, and a classification; * stands for all',
      'Give them as the contract has them.',
    );
  }
  const id = randomUUID();
  await withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      // The role of one of an identity provider stands in his tokens, and is looked at when he comes.
      if (!oidcName.test(principal) && !may(await roleOfPrincipal(client, principal), 'decrypt')) {
        throw senseless(
          'this principal may not decrypt, whatever is granted',
          'Make one of the role consumer.',
        );
      }
      await client.query(
        `insert into lethe_keys.grants (id, principal, table_name, classification, why, granted_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7 * interval '1 millisecond')`,
        [id, principal, table, classification, why, by, validMs ?? null],
      );
      await appendAudit(client, 'grant-made', { grant: id, principal, table, classification }, by);
    }),
  );
  return id;
}

/** Takes a grant of this principal back, at once; CONFIG_INVALID for an id of none. Doing so again changes nothing. */
export async function revokeGrant(config: Place, principal: string, id: string, by: string): Promise<void> {
  await withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      const { rows } = await client.query<{ revoked: boolean }>(
        `select revoked_at is not null as revoked from lethe_keys.grants where id::text = $1 and principal = $2 for update`,
        [id, principal],
      );
      if (!rows[0]) {
        throw senseless(
          'this principal has no grant with this id',
          '`lethe access list` names those that are.',
        );
      }
      if (rows[0].revoked) return;
      await client.query('update lethe_keys.grants set revoked_at = clock_timestamp() where id::text = $1', [
        id,
      ]);
      await appendAudit(client, 'grant-revoked', { grant: id, principal }, by);
    }),
  );
}

/** Whether a grant that is valid now covers this table and classification. */
export async function hasGrant(
  client: ClientBase,
  principal: string,
  table: string,
  classification: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from lethe_keys.grants
      where principal = $1 and table_name in ($2, '*') and classification in ($3, '*')
        and revoked_at is null and (expires_at is null or expires_at > clock_timestamp()) limit 1`,
    [principal, table, classification],
  );
  return rowCount !== 0;
}
