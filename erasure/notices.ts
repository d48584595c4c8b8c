import type { ClientBase } from 'pg';
import { refused } from '../keys/access/access-error.ts';
import { may, type Role } from '../keys/access/permissions.ts';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction } from '../keys/key-store-client.ts';
import type { Recipient } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';

/** Tables of which recipient was told of which erasure, and what he answered; each statement may be run again. */
export const noticeStatements = [
  `create table if not exists lethe_erasure.notices (
     request text not null references lethe_erasure.requests,
     recipient text not null,
     tables text[] not null,
     records int not null,
     parts int not null,
     noticed_at timestamptz not null default clock_timestamp(),
     acknowledged_at timestamptz,
     acknowledged_by text,
     reference text,
     primary key (request, recipient))`,
  `create index if not exists notices_waiting on lethe_erasure.notices (noticed_at) where acknowledged_at is null`,
] as const;

/** That a recipient was told of an erasure, and what he answered. */
export interface Notice {
  readonly request: string;
  readonly recipient: string;
  /** His tables that had records of the person. */
  readonly tables: readonly string[];
  /** How many records there were in them. */
  readonly records: number;
  /** Records of Kafka that it was told in. */
  readonly parts: number;
  readonly noticedAt: Date;
  readonly acknowledgedAt: Date | null;
  readonly acknowledgedBy: string | null;
  /** What the answer is filed under: a reference, nothing personal. */
  readonly reference: string | null;
}

const columns = `request, recipient, tables, records, parts, noticed_at as "noticedAt", acknowledged_at as "acknowledgedAt",
  acknowledged_by as "acknowledgedBy", reference`;

/** What the recipients of these requests were told, by request and name. */
export async function noticesOf(
  client: Pick<ClientBase, 'query'>,
  requests: readonly string[],
): Promise<Notice[]> {
  const { rows } = await client.query<Notice>(
    `select ${columns} from lethe_erasure.notices where request = any($1) order by request, recipient`,
    [requests],
  );
  return rows;
}

/** Those that nobody has acknowledged for so many days, the oldest in front. */
export async function overdueNotices(client: Pick<ClientBase, 'query'>, days: number): Promise<Notice[]> {
  const { rows } = await client.query<Notice>(
    `select ${columns} from lethe_erasure.notices
      where acknowledged_at is null and noticed_at < clock_timestamp() - make_interval(days => $1)
      order by noticed_at, request, recipient`,
    [days],
  );
  return rows;
}

/** Notes that the recipients were told, all or none. Who was noted before stays as he is. */
export async function noteNotices(
  client: ClientBase,
  told: readonly Pick<Notice, 'request' | 'recipient' | 'tables' | 'records' | 'parts'>[],
): Promise<void> {
  await inTransaction(client, async () => {
    const first: (typeof told)[number][] = [];
    for (const notice of told) {
      const { request, recipient, tables, records, parts } = notice;
      const { rowCount } = await client.query(
        `insert into lethe_erasure.notices (request, recipient, tables, records, parts) values ($1, $2, $3, $4, $5)
         on conflict do nothing`,
        [request, recipient, tables, records, parts],
      );
      if (rowCount === 1) first.push(notice);
    }
    // After all rows: whoever holds one of them may wait for the audit.
    for (const { request, recipient, records } of first)
      await appendAudit(client, 'notice-sent', { request, recipient, records });
  });
}

/** ACCESS_REFUSED for who is neither the recipient's principal nor one who files erasures; this machine's user, without a role, may do all. */
export function requireRecipient(
  by: { readonly name: string; readonly role?: Role },
  { name, principal = name }: Pick<Recipient, 'name' | 'principal'>,
): void {
  const mayForOthers = by.role === undefined || may(by.role, 'erase:request');
  if (!mayForOthers && by.name !== principal) throw refused('recipient', by.name);
}

/**
 * Notes that the recipient has done his part. The same again changes nothing, and gives what was noted. ERASURE_REFUSED where he was told
 * nothing of this request.
 */
export async function acknowledgeNotice(
  client: ClientBase,
  { request, recipient }: Pick<Notice, 'request' | 'recipient'>,
  reference: string | undefined,
  principal: string,
): Promise<Notice> {
  return inTransaction(client, async () => {
    const { rowCount } = await client.query(
      `update lethe_erasure.notices set acknowledged_at = clock_timestamp(), acknowledged_by = $3, reference = $4
        where request = $1 and recipient = $2 and acknowledged_at is null`,
      [request, recipient, principal, reference ?? null],
    );
    if (rowCount === 1) await appendAudit(client, 'notice-acknowledged', { request, recipient }, principal);
    const found = (await noticesOf(client, [request])).find((notice) => notice.recipient === recipient);
    if (found) return found;
    throw new LetheError('ERASURE_REFUSED', 'this recipient was told nothing of this request', {
      fix: '`lethe erase status` names the recipients of a request; they are told once the stores are cleared.',
    });
  });
}
