import { refused } from './access-error.ts';

/** That somebody agreed, by the key store's clock. */
export interface Approval {
  readonly principal: string;
  readonly at: Date;
}

/** Who approves. */
export interface Approver {
  readonly name: string;
  /** Since when he can have been here; undefined where an identity provider knows. */
  readonly since?: Date;
  readonly isDisabled: boolean;
}

/** What somebody asked for and others approve. */
export interface AskedFor {
  /** Who asks. */
  readonly principal: string;
  readonly createdAt: Date;
  readonly approvals: readonly Approval[];
}

/**
 * ACCESS_REFUSED for an approval that does not count: of who asked, of who has approved before, of who was disabled, and of who was not there
 * before it was asked for, so that nobody makes himself a second person to approve.
 */
export function requireIndependent({ principal, createdAt, approvals }: AskedFor, by: Approver): void {
  if (by.isDisabled) throw refused('disabled', by.name);
  if (by.name === principal) throw refused('own-request', by.name);
  if (approvals.some((approval) => approval.principal === by.name)) throw refused('approved-before', by.name);
  if (by.since && by.since >= createdAt) throw refused('newer-than-request', by.name);
}
