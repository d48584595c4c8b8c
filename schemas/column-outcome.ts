import { type ColumnRule, innermostRules, type PathRule } from './column-rule.ts';
import type { Dataset, DatasetColumn } from './dataset.ts';
import { isKeyed, isUnderSubject } from './subject-keys.ts';

/**
 * How what consumers have of a column is forgotten: `key`: it is unreadable, or unlinked, once the person's key is destroyed, in every copy;
 * `deletion`: it goes where it is deleted, and nowhere else; `nothing`: there is nothing of the value.
 */
export type Forgetting = 'key' | 'deletion' | 'nothing';

/** What a contract leaves of a column, for who decides about it. */
export interface ColumnOutcome {
  readonly table: string;
  readonly column: string;
  readonly action: string;
  /** The weakest of its parts. */
  readonly forgotten: Forgetting;
  /** Why it is not by the key, where a pseudonym is made with one that all rows share. */
  readonly shared?: string;
  /** What can still be asked for, in words. */
  readonly searches: string;
}

const order: readonly Forgetting[] = ['nothing', 'key', 'deletion'];

/** One for each column of the clean record. */
export function columnOutcomes(dataset: Dataset): ColumnOutcome[] {
  return dataset.columns.map((column) => {
    const place = { hasSubject: dataset.subject !== undefined, isKey: column.keyIndex !== undefined };
    const rules = innermostRules(column.rule);
    const forgotten = rules.map((rule) => forgettingOf(rule, place));
    const shared = rules.find((rule) => isKeyed(rule) && !isUnderSubject(rule, place));
    return {
      table: dataset.table,
      column: column.name,
      action: column.rule.action,
      forgotten: order[Math.max(...forgotten.map((one) => order.indexOf(one)))]!,
      ...(shared ? { shared: reason(shared, place) } : {}),
      searches: searchesOf(column, place),
    };
  });
}

type Place = Parameters<typeof isUnderSubject>[1];

function forgettingOf(rule: ColumnRule | PathRule, place: Place): Forgetting {
  if (rule.action === 'drop' || rule.action === 'null') return 'nothing';
  return isUnderSubject(rule, place) ? 'key' : 'deletion';
}

function reason(rule: ColumnRule | PathRule, { hasSubject, isKey }: Place): string {
  if ('domain' in rule && rule.domain !== undefined) return `join domain ${rule.domain}`;
  if (isKey) return 'part of the primary key';
  return hasSubject ? 'under: shared' : 'the table has no subject';
}

function searchesOf(column: DatasetColumn, place: Place): string {
  const { rule, source } = column;
  if (rule.searchable === false) return 'none in Elasticsearch (searchable: false)';
  switch (rule.action) {
    case 'encrypt':
    case 'null':
    case 'drop':
      return 'none';
    case 'mask':
      return rule.keepStart + rule.keepEnd === 0 ? 'none' : 'by what is left at the ends';
    case 'truncate':
      return 'by the start';
    case 'redact':
      return 'by words that are not personal';
    case 'generalise':
      return rule.to === 'network'
        ? 'by the network'
        : typeof rule.to === 'number'
          ? 'by the band'
          : `by the ${rule.to}`;
    case 'hash':
      return `equal values${withinPerson(rule, place)}`;
    case 'tokenise':
      return `equal values${withinPerson(rule, place)}; opened with the key`;
    case 'format-preserving':
      return `equal values${withinPerson(rule, place)}, in their shape`;
    case 'paths':
      return 'none in Elasticsearch; by path in ClickHouse';
    case 'keep':
      return keptSearches[source] ?? 'exact';
  }
}

function withinPerson(rule: ColumnRule, place: Place): string {
  const domain = 'domain' in rule ? rule.domain : undefined;
  const where = domain === undefined ? '' : `, also of other columns in ${domain}`;
  return `${isUnderSubject(rule, place) ? ' of one person' : ''}${where}`;
}

const ordered = 'exact, by range';
const keptSearches: Readonly<Partial<Record<DatasetColumn['source'], string>>> = {
  text: 'by words, exact',
  int: ordered,
  long: ordered,
  float: ordered,
  double: ordered,
  decimal: ordered,
  date: ordered,
  timestamp: ordered,
  timestamptz: ordered,
  json: 'none in Elasticsearch; by path in ClickHouse',
  bytes: 'none',
};
