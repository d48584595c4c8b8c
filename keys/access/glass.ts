import { refused } from './access-error.ts';

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

export interface Approval {
  readonly principal: string;
  readonly at: Date;
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

/** Who approves. */
export interface Approver {
  readonly name: string;
  /** Since when he can have been here; undefined where an identity provider knows. */
  readonly since?: Date;
  readonly isDisabled: boolean;
}

export const approvalsNeeded = 2;
export const defaultOpenMs = 3_600_000;
export const longestOpenMs = 24 * 3_600_000;
/** One that nobody approves in time is to be asked for again. */
export const waitsMs = 24 * 3_600_000;

/**
 * The glass after one more approval; ACCESS_REFUSED for one that does not count. It opens with the second: by two who are not the same,
 * nor who asked, nor disabled, and who were there before it was asked for, so that nobody makes himself a second person to approve.
 */
export function approved(glass: Glass, by: Approver, now: Date): Glass {
  if (by.isDisabled) throw refused('disabled', by.name);
  if (by.name === glass.principal) throw refused('own-request', by.name);
  if (glass.approvals.some(({ principal }) => principal === by.name)) {
    throw refused('approved-before', by.name);
  }
  if (by.since && by.since >= glass.createdAt) throw refused('newer-than-request', by.name);
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
