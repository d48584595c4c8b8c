import type { AccessList } from '../keys/access/list-access.ts';
import type { ReasonedGlass } from '../keys/access/glass-store.ts';
import { approvalsNeeded, waitsMs } from '../keys/access/glass.ts';
import { type Cell, renderTable } from './table.ts';

/** Who may do what, for people. */
export function renderAccess({ open, principals }: AccessList): string {
  const said = open
    ? 'access is OPEN: whoever has lethe.yaml may do all\n'
    : 'access takes a token: LETHE_TOKEN\n';
  const own = principals.map(({ name, role, disabled }): (string | Cell)[] => [
    name,
    role ?? 'as its tokens say',
    disabled ? { text: 'disabled', style: 'red' } : { text: 'let in', style: 'green' },
  ]);
  const tokens = principals.flatMap(({ name, tokens: all }) =>
    all.map((token) => [name, token.id, token.lastUsed ?? 'never', validity(token)]),
  );
  const grants = principals.flatMap(({ name, grants: all }) =>
    all.map((grant) => [
      name,
      grant.id,
      grant.table,
      grant.classification,
      grant.grantedBy,
      validity(grant),
      grant.why,
    ]),
  );
  return [
    said,
    ...(own.length === 0 ? [] : [renderTable(['principal', 'role', 'state'], own)]),
    ...(tokens.length === 0 ? [] : [renderTable(['principal', 'token', 'last used', 'valid'], tokens)]),
    ...(grants.length === 0
      ? []
      : [renderTable(['principal', 'grant', 'table', 'classification', 'by', 'valid', 'why'], grants)]),
  ].join('\n');
}

/** Glasses, for people: the newest first. */
export function renderGlass(all: readonly ReasonedGlass[], now: Date): string {
  if (all.length === 0) return 'no glass was asked for\n';
  return renderTable(
    ['glass', 'who', 'what for', 'state', 'approved by', 'reason'],
    all.map((glass) => [
      glass.id,
      glass.principal,
      [glass.use.kind, glass.use.table, glass.use.classification].filter((part) => part !== '*').join(' '),
      glassState(glass, now),
      glass.approvals.map(({ principal }) => principal).join(', ') || '-',
      glass.reason,
    ]),
  );
}

function glassState({ approvals, opensUntil, closedAt, createdAt }: ReasonedGlass, now: Date): Cell {
  if (closedAt) return { text: 'closed' };
  if (opensUntil) {
    return opensUntil > now
      ? { text: `OPEN until ${opensUntil.toISOString()}`, style: 'red' }
      : { text: 'over' };
  }
  if (now.getTime() >= createdAt.getTime() + waitsMs) return { text: 'nobody approved it in time' };
  return { text: `waits for ${approvalsNeeded - approvals.length} approvals`, style: 'yellow' };
}

function validity({ expiresAt, revoked }: { expiresAt: Date | null; revoked: boolean }): string {
  if (revoked) return 'revoked';
  return expiresAt ? `until ${expiresAt.toISOString()}` : 'until it is revoked';
}
