import { refused } from './access-error.ts';
import { type Approval, type Approver, requireIndependent } from './approval.ts';

/** What a glass may be broken for: what letters hold, a table's values of one classification, a person's return. */
export const glassKinds = ['payload', 'decrypt', 'readmit'] as const;
export type GlassKind = (typeof glassKinds)[number];

/** What it is needed for, or opened for; `*` stands for all, and is never what a decryption was opened for. */
export interface GlassUse {
  readonly kind: GlassKind;
  /** `schema.table`; default: all. */
  readonly table?: string;
  readonly classification?: string;
}

/** A request to do once, for a while, what one's role may not. */
export interface Glass {
  readonly id: string;
  /** Who asks, and who alone may use it. */
  readonly principal: string;
  readonly use: Required<GlassUse>;
  readonly createdAt: Date;
  /** How long it is open once it is, ms. */
  readonly openMs: number;
  readonly approvals: readonly Approval[];
  /** Set with the second approval, and never moved. */
  readonly opensUntil?: Date;
  readonly closedAt?: Date;
}

export const approvalsNeeded = 2;
export const defaultOpenMs = 3_600_000;
export const longestOpenMs = 24 * 3_600_000;
/** One that nobody approves in time is to be asked for again. */
export const waitsMs = 24 * 3_600_000;

/**
 * The glass after one more approval; ACCESS_REFUSED for one that does not count, see {@link requireIndependent}. It opens with the second.
 */
export function approved(glass: Glass, by: Approver, now: Date): Glass {
  requireIndependent(glass, by);
  const waits = glass.opensUntil === undefined && glass.closedAt === undefined;
  if (!waits || now.getTime() >= glass.createdAt.getTime() + waitsMs) throw refused('not-waiting', by.name);
  const approvals = [...glass.approvals, { principal: by.name, at: now }];
  if (approvals.length < approvalsNeeded) return { ...glass, approvals };
  return { ...glass, approvals, opensUntil: new Date(now.getTime() + glass.openMs) };
}

/** Whether it serves this principal for this use now. */
export function serves(glass: Glass, principal: string, use: GlassUse, now: Date): boolean {
  const { opensUntil, closedAt } = glass;
  if (glass.principal !== principal || opensUntil === undefined || closedAt !== undefined) return false;
  if (opensUntil <= now || glass.approvals.length < approvalsNeeded) return false;
  return (
    glass.use.kind === use.kind &&
    covers(glass.use.table, use.table) &&
    covers(glass.use.classification, use.classification)
  );
}

function covers(opened: string, needed: string | undefined): boolean {
  return opened === '*' || opened === needed;
}
