import type { ColumnRule, PathRule } from '../column-rule.ts';
import type { Contract } from '../contract.ts';
import type { Change } from './change.ts';
import { isKeyed, isUnderSubject } from '../subject-keys.ts';
import { ruleText } from './rule-text.ts';

/** A place whose pseudonyms, tokens or formats are made with a key of its own or of a domain. */
interface Pseudonymised {
  readonly table: string;
  readonly column: string;
  readonly path?: string;
  readonly rule: ColumnRule | PathRule;
  /** Equal in two places whose equal values become equal; undefined for a key of its own. */
  readonly group: string | undefined;
  /** Equal values become equal for one person only. */
  readonly isOwn: boolean;
}

/**
 * What changes in which columns can be joined with each other, and whose pseudonyms become others. A join is told at the place that
 * was changed for it, not at those that were in the domain before.
 */
export function joinChanges(from: readonly Contract[], to: readonly Contract[]): Change[] {
  const before = new Map(from.flatMap(placesOf).map((place) => [keyOf(place), place]));
  const after = to.flatMap(placesOf);
  return after.flatMap((place) => {
    const was = before.get(keyOf(place));
    if (
      was &&
      was.group === place.group &&
      was.isOwn === place.isOwn &&
      was.rule.action === place.rule.action
    )
      return [];
    const changes: Change[] = [];
    const add = (severity: Change['severity'], sentence: string): void => {
      changes.push({
        table: place.table,
        column: place.column,
        ...(place.path === undefined ? {} : { path: place.path }),
        severity,
        from: was ? ruleText(was.rule) : null,
        to: ruleText(place.rule),
        sentence,
      });
    };
    const partners = partnersOf(place, after);
    const lost = was ? partnersOf(was, [...before.values()]).filter((name) => !partners.includes(name)) : [];
    const known = was ? partnersOf(was, [...before.values()]) : [];
    const won = partners.filter((name) => !known.includes(name));
    const name = nameOf(place);
    if (won.length > 0) {
      add('exposes', `${scopeOf(place)}: ${name} can now be joined with ${won.join(', ')}`);
    }
    if (was && was.rule.action === place.rule.action) {
      add('changes', `${name}: all its pseudonyms change (${scopeOf(place)}, was ${scopeOf(was)})`);
    }
    if (lost.length > 0) add('protects', `${name} can no longer be joined with ${lost.join(', ')}`);
    return changes;
  });
}

function placesOf({ table, columns, subject }: Contract): Pseudonymised[] {
  const hasSubject = subject !== undefined;
  return Object.entries(columns).flatMap(([column, rule]) =>
    rule.action === 'paths'
      ? Object.entries(rule.paths).flatMap(([path, inner]) =>
          pseudonymised({ table, column, path, rule: inner }, hasSubject),
        )
      : pseudonymised({ table, column, rule }, hasSubject),
  );
}

function pseudonymised(place: Omit<Pseudonymised, 'group' | 'isOwn'>, hasSubject: boolean): Pseudonymised[] {
  const { rule } = place;
  if (!isKeyed(rule)) return [];
  const { domain } = rule;
  // Which columns are a primary key's, a contract alone does not say: theirs are under their column's key.
  const isOwn = isUnderSubject(rule, { hasSubject, isKey: false });
  const alphabet = 'alphabet' in rule ? rule.alphabet : '';
  // Each action has keys of its own, also in one domain; another alphabet makes other characters.
  const group = domain === undefined ? undefined : `${rule.action}/${alphabet}/${domain}/${isOwn}`;
  return [{ ...place, group, isOwn }];
}

function partnersOf(place: Pseudonymised, all: readonly Pseudonymised[]): string[] {
  if (place.group === undefined) return [];
  return all
    .filter((other) => other.group === place.group && keyOf(other) !== keyOf(place))
    .map((other) => `${other.table}.${nameOf(other)}`);
}

function scopeOf({ rule, isOwn }: Pseudonymised): string {
  const domain = 'domain' in rule ? rule.domain : undefined;
  if (domain === undefined) return isOwn ? "each person's own key" : 'a key of its own';
  return isOwn ? `domain ${domain}, for each person` : `domain ${domain}`;
}

function nameOf({ column, path }: Pseudonymised): string {
  return path === undefined ? column : `${column}#${path}`;
}

function keyOf({ table, column, path }: Pseudonymised): string {
  return JSON.stringify([table, column, path]);
}
