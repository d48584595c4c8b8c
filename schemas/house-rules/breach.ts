import type { ActionName, ColumnRule, PathRule } from '../column-rule.ts';
import { needsValue } from '../dataset.ts';
import type { SinkName } from '../sink-name.ts';
import type { Classification } from '../vocabulary.ts';
import type { HouseRule } from './rules-shape.ts';

/** A limit of a house rule that is not kept. */
export interface Breach {
  readonly limit: 'never' | 'only' | 'sinks' | 'mask';
  /** `payment.card is never kept`. */
  readonly message: string;
  readonly fix: string;
}

const done: Readonly<Record<ActionName, string>> = {
  keep: 'kept',
  drop: 'dropped',
  null: 'emptied',
  mask: 'masked',
  truncate: 'truncated',
  generalise: 'generalised',
  hash: 'hashed',
  tokenise: 'tokenised',
  'format-preserving': 'encrypted in its format',
  redact: 'redacted',
  encrypt: 'encrypted',
  paths: 'taken apart by paths',
};

/** Is the house rule one for this classification, in this table? */
export function isFor(house: HouseRule, classification: Classification, table: string): boolean {
  return (
    house.classification.some((pattern) => like(classification, pattern)) &&
    (house.tables ?? ['*']).some((pattern) => like(table, pattern))
  );
}

/** Does the name fit the pattern, whose `*` stands for any characters? */
export function like(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll('.', String.raw`\.`));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/**
 * What a rule for something of the classification breaks. A rule by paths is judged by its paths, which come here on
 * their own. `sinks` are the stores it goes to; undefined where that is not known yet.
 */
export function breachesOf(
  rule: ColumnRule | PathRule,
  classification: Classification,
  sinks: readonly SinkName[] | undefined,
  house: HouseRule,
): Breach[] {
  const { never, only, mask } = house;
  const breaches: Breach[] = [];
  if (never?.includes(rule.action)) {
    const message = `${classification} is never ${done[rule.action]}`;
    breaches.push({ limit: 'never', message, fix: 'Choose another action, or change the rule.' });
  }
  if (rule.action === 'paths') return breaches;
  if (only && !only.includes(rule.action)) {
    const message = `${classification} is only ${listed(only.map((action) => done[action]))}, not ${done[rule.action]}`;
    breaches.push({ limit: 'only', message, fix: `Use one of: ${only.join(', ')}; or change the rule.` });
  }
  const closed = needsValue(rule as ColumnRule)
    ? (sinks ?? []).filter((sink) => house.sinks?.includes(sink) === false)
    : [];
  if (closed.length > 0) {
    const open = house.sinks?.length === 0 ? 'no store' : `${listed(house.sinks ?? [])} alone`;
    const message = `${classification} goes to ${open}, not to ${listed(closed)}`;
    breaches.push({ limit: 'sinks', message, fix: 'Drop it, take the store away, or change the rule.' });
  }
  if (mask && rule.action === 'mask' && rule.keepStart + rule.keepEnd > mask.mostShown) {
    const message = `${classification} shows at most ${mask.mostShown} characters when masked, not ${rule.keepStart + rule.keepEnd}`;
    breaches.push({ limit: 'mask', message, fix: 'Lower keepStart or keepEnd, or change the rule.' });
  }
  return breaches;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
