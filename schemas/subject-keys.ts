import { type ColumnRule, innermostRules, type PathRule } from './column-rule.ts';
import type { Contract } from './contract.ts';

/** Where a rule stands. */
export interface RulePlace {
  readonly hasSubject: boolean;
  /** Is its column a part of the primary key? */
  readonly isKey: boolean;
}

/**
 * Is what the rule makes made with the subject's own key, so that destroying it unlinks it? A join domain says that it is not, unless the
 * rule says otherwise; nor is any part of a primary key, which a delete must find with nothing but the key at hand.
 */
export function isUnderSubject(rule: ColumnRule | PathRule, { hasSubject, isKey }: RulePlace): boolean {
  if (rule.action === 'encrypt') return true;
  if (!isKeyed(rule) || !hasSubject || isKey) return false;
  const { under, domain } = rule;
  return under === undefined ? domain === undefined : under === 'subject';
}

/** Is what the rule makes made with a key, the same for equal values? */
export function isKeyed(rule: ColumnRule | PathRule): rule is KeyedRule {
  return rule.action === 'hash' || rule.action === 'tokenise' || rule.action === 'format-preserving';
}
type KeyedRule = Extract<ColumnRule | PathRule, { action: 'hash' | 'tokenise' | 'format-preserving' }>;

/** Is anything of the contract's rows made with their subject's own key? `primaryKey`: the names of its columns. */
export function usesSubjectKey({ columns, subject }: Contract, primaryKey: readonly string[]): boolean {
  return Object.entries(columns).some(([name, rule]) =>
    innermostRules(rule).some((inner) =>
      isUnderSubject(inner, { hasSubject: subject !== undefined, isKey: primaryKey.includes(name) }),
    ),
  );
}
