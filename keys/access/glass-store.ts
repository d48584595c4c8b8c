import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { appendAudit } from '../audit/audit-log.ts';
import { inTransaction, withKeyStore } from '../key-store-client.ts';
import { refused, senseless } from './access-error.ts';
import type { Approval } from './approval.ts';
import { isDisabled } from './authenticate.ts';
import {
  approved,
  defaultOpenMs,
  type Glass,
  type GlassKind,
  type GlassUse,
  longestOpenMs,
  serves,
} from './glass.ts';

type Place = Pick<Config, 'keys'>;

/** A glass with why it is asked for: a text of people, which is shown to who approves and stands in no audit. */
export interface ReasonedGlass extends Glass {
  readonly reason: string;
}

interface Row {
  readonly id: string;
  readonly principal: string;
  readonly kind: GlassKind;
  readonly table_name: string;
  readonly classification: string;
  readonly reason: string;
  readonly open_ms: string;
  readonly created_at: Date;
  readonly opens_until: Date | null;
  readonly closed_at: Date | null;
  readonly approvals: readonly { readonly principal: string; readonly at: string }[] | null;
}

const columns = `g.id::text, g.principal, g.kind, g.table_name, g.classification, g.reason, g.open_ms::text, g.created_at,
  g.opens_until, g.closed_at,
  (select json_agg(json_build_object('principal', a.principal, 'at', a.at) order by a.at)
     from lethe_keys.glass_approvals a where a.glass = g.id) as approvals`;

/** Asks for a glass to be broken, for `openMs` after its second approval (an hour; a day at most). CONFIG_INVALID for no reason. */
export async function requestGlass(
  config: Place,
  asked: { readonly use: GlassUse; readonly reason: string; readonly openMs?: number },
  by: string,
): Promise<ReasonedGlass> {
  const { use, openMs = defaultOpenMs } = asked;
  const reason = asked.reason.trim();
  if (reason === '') throw senseless('a glass is broken for a reason', 'Give it with --reason.');
  if (openMs < 1 || openMs > longestOpenMs) {
    throw senseless('a glass is open for a day at most', 'Give a shorter time with --open.');
  }
  if (use.kind === 'decrypt' && (isAll(use.table) || isAll(use.classification))) {
    throw senseless(
      'a glass to decrypt is for one table and one classification',
      'Give both: --table and --classification.',
    );
  }
  const { kind, table = '*', classification = '*' } = use;
  const id = randomUUID();
  return withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      await client.query(
        `insert into lethe_keys.glass (id, principal, kind, table_name, classification, reason, open_ms, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())`,
        [id, by, kind, table, classification, reason, openMs],
      );
      const details = { glass: id, for: kind, table, classification, openMs };
      await appendAudit(client, 'glass-asked', details, by);
      return (await read(client, id))!;
    }),
  );
}

/**
 * Adds somebody's approval; the glass after it. ACCESS_REFUSED as {@link approved} says, CONFIG_INVALID for an id that is none. Two who
 * approve at once take turns.
 */
export async function approveGlass(
  config: Place,
  id: string,
  by: { readonly name: string; readonly since?: Date },
): Promise<ReasonedGlass> {
  return withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      const glass = await locked(client, id);
      const now = await clock(client);
      const after = approved(glass, { ...by, isDisabled: await isDisabled(client, by.name) }, now);
      await client.query(
        'insert into lethe_keys.glass_approvals (glass, principal, at) values ($1, $2, $3)',
        [id, by.name, now],
      );
      await client.query('update lethe_keys.glass set opens_until = $2 where id = $1', [
        id,
        after.opensUntil ?? null,
      ]);
      await appendAudit(client, 'glass-approved', { glass: id, approvals: after.approvals.length }, by.name);
      return { ...glass, ...after };
    }),
  );
}

/** Closes a glass before its time: who asked, or who approved, may. Doing so again changes nothing. */
export async function closeGlass(config: Place, id: string, by: string): Promise<void> {
  await withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      const glass = await locked(client, id);
      const involved = [glass.principal, ...glass.approvals.map(({ principal }) => principal)];
      if (!involved.includes(by)) throw refused('role', by);
      if (glass.closedAt) return;
      await client.query('update lethe_keys.glass set closed_at = clock_timestamp() where id = $1', [id]);
      await appendAudit(client, 'glass-closed', { glass: id }, by);
    }),
  );
}

/**
 * A glass that serves this principal for this use now; undefined where there is none. An approval of somebody who was disabled since counts
 * no more. The caller writes `glass-used` into the audit.
 */
export async function usableGlass(
  client: ClientBase,
  principal: string,
  use: GlassUse,
): Promise<Glass | undefined> {
  const { rows } = await client.query<Row>(
    `select ${columns} from lethe_keys.glass g
      where g.principal = $1 and g.kind = $2 and g.opens_until > clock_timestamp() and g.closed_at is null
        and not exists (select from lethe_keys.glass_approvals a join lethe_keys.principals p on p.name = a.principal
                         where a.glass = g.id and p.disabled_at is not null)
      order by g.opens_until desc`,
    [principal, use.kind],
  );
  const now = await clock(client);
  return rows.map(glassOf).find((glass) => serves(glass, principal, use, now));
}

/** The newest glasses first, closed and lapsed ones too. */
export async function listGlass(config: Place, count: number): Promise<ReasonedGlass[]> {
  return withKeyStore(config, async (client) => {
    const { rows } = await client.query<Row>(
      `select ${columns} from lethe_keys.glass g order by g.created_at desc limit $1`,
      [count],
    );
    return rows.map(glassOf);
  });
}

function isAll(name: string | undefined): boolean {
  return name === undefined || name === '*';
}

async function read(client: ClientBase, id: string): Promise<ReasonedGlass | undefined> {
  const { rows } = await client.query<Row>(`select ${columns} from lethe_keys.glass g where g.id = $1`, [id]);
  return rows[0] && glassOf(rows[0]);
}

async function locked(client: ClientBase, id: string): Promise<ReasonedGlass> {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    await client.query('select from lethe_keys.glass where id = $1 for update', [id]);
    const glass = await read(client, id);
    if (glass) return glass;
  }
  throw senseless('there is no glass with this id', '`lethe glass list` names those that are.');
}

async function clock(client: ClientBase): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
  return rows[0]!.now;
}

function glassOf(row: Row): ReasonedGlass {
  return {
    id: row.id,
    principal: row.principal,
    use: { kind: row.kind, table: row.table_name, classification: row.classification },
    reason: row.reason,
    createdAt: row.created_at,
    openMs: Number(row.open_ms),
    approvals: (row.approvals ?? []).map(({ principal, at }): Approval => ({ principal, at: new Date(at) })),
    ...(row.opens_until ? { opensUntil: row.opens_until } : {}),
    ...(row.closed_at ? { closedAt: row.closed_at } : {}),
  };
}
