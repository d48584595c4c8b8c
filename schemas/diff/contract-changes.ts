import { isDeepStrictEqual } from 'node:util';
import { usesSubjectKey } from '../subject-keys.ts';
import type { Contract } from '../contract.ts';
import { type Change, type ChangeSeverity, sortChanges } from './change.ts';
import { columnChanges } from './column-changes.ts';
import { columnSinkChanges } from './column-sinks.ts';
import { erasureChanges } from './erasure-changes.ts';
import { wayOf } from '../lookup-path.ts';
import { joinChanges } from './joins.ts';
import { consentChanges, whereChanges } from './row-changes.ts';

/** Names of what is derived from a table. */
export interface DerivedNames {
  /** The clean topic, or the table where topics are not known. */
  readonly topicOf: (table: string) => string;
}

/** What a change of contracts means for people, the worst first. Contracts that say the same give nothing. */
export function contractChanges(
  from: readonly Contract[],
  to: readonly Contract[],
  names: DerivedNames,
): Change[] {
  const before = new Map(from.map((contract) => [contract.table, contract]));
  const after = new Map(to.map((contract) => [contract.table, contract]));
  const tables = new Set([...after.keys(), ...before.keys()]);
  return sortChanges([
    ...[...tables].flatMap((table) => tableChanges(before.get(table), after.get(table), names)),
    ...joinChanges(from, to),
  ]);
}

function tableChanges(from: Contract | undefined, to: Contract | undefined, names: DerivedNames): Change[] {
  if (!to) return from ? [removed(from)] : [];
  if (!from) return [added(to, names), ...columnsOf(undefined, to, names)];
  return Object.entries(terms).flatMap(([, compare]) => compare(from, to, names));
}

type Compare = (from: Contract, to: Contract, names: DerivedNames) => Change[];

const truncateMeans: Readonly<Record<NonNullable<Contract['truncate']>, string>> = {
  halt: 'makes the table wait',
  ignore: 'leaves the rows that were there to consumers',
  delete: 'deletes all rows that were there',
};

/** Every field of a contract has a comparison here: one that is new does not compile until it has its own. */
const terms: Readonly<Record<keyof Contract, Compare>> = {
  table: () => [],
  sinks: compareSinks,
  columns: (from, to, names) => columnsOf(from, to, names),
  subject: compareSubject,
  where: (from, to) => whereChanges(from, to).map((change) => ({ table: to.table, ...change })),
  consent: (from, to) => consentChanges(from, to).map((change) => ({ table: to.table, ...change })),
  erasure: (from, to) => erasureChanges(from, to).map((change) => ({ table: to.table, ...change })),
  parking: (from, to) => {
    const [was, is] = [from, to].map(({ parking }) => parking?.deadline ?? '10m');
    const sentence = `a row now waits up to ${is} for rows of its paths (was ${was})`;
    return was === is ? [] : [change(to.table, 'changes', was!, is!, sentence)];
  },
  unclassified: (from, to) => {
    const [was, is] = [from, to].map(({ unclassified }) => unclassified ?? 'drop');
    const sentence = `a column in no contract now makes the table ${is === 'halt' ? 'wait' : 'go on without it'}`;
    return was === is ? [] : [change(to.table, 'changes', was!, is!, sentence)];
  },
  truncate: (from, to) => {
    const [was, is] = [from, to].map(({ truncate }) => truncate ?? 'halt');
    const sentence = `a TRUNCATE at the source now ${truncateMeans[is!]}`;
    return was === is ? [] : [change(to.table, 'changes', was!, is!, sentence)];
  },
  owner: (from, to) => told(from, to, 'owner', (is, was) => `the owner is ${is} (was ${was})`),
  tier: (from, to) => told(from, to, 'tier', (is, was) => `the tier is ${is} (was ${was})`),
  staleness: (from, to) =>
    told(from, to, 'staleness', (is, was) => `stores may now be ${is} old (was ${was})`),
};

function columnsOf(from: Contract | undefined, to: Contract, names: DerivedNames): Change[] {
  const before = from?.columns ?? {};
  const columns = new Set([...Object.keys(to.columns), ...Object.keys(before)]);
  const readers = `consumers of ${names.topicOf(to.table)}`;
  return [...columns].flatMap((column) => {
    const [was, is] = [before, to.columns].map((all) =>
      Object.hasOwn(all, column) ? all[column] : undefined,
    );
    const changes = columnChanges({ table: to.table, column, readers }, was, is);
    if (!from || !was || !is) return changes;
    const stores = columnSinkChanges(column, [from, was], [to, is]);
    return [...changes, ...stores.map((one) => ({ table: to.table, column, ...one }))];
  });
}

function added(to: Contract, { topicOf }: DerivedNames): Change {
  const places = [topicOf(to.table), ...to.sinks].join(', ');
  return change(to.table, 'exposes', null, to.table, `${to.table} is now covered: its rows reach ${places}`);
}

function removed({ table }: Contract): Change {
  const sentence =
    `${table} is no longer covered: nothing of it passes any more, deletes neither, ` +
    'so that what was delivered stays as it is';
  return change(table, 'exposes', table, null, sentence);
}

function compareSinks(from: Contract, to: Contract, { topicOf }: DerivedNames): Change[] {
  const text = ({ sinks }: Contract): string => sinks.join(', ') || 'none';
  const topic = topicOf(to.table);
  const of = (severity: ChangeSeverity, sentence: string): Change =>
    change(to.table, severity, text(from), text(to), sentence);
  return [
    ...to.sinks
      .filter((sink) => !from.sinks.includes(sink))
      .map((sink) => of('exposes', `${topic} now also feeds ${sink}`)),
    ...from.sinks
      .filter((sink) => !to.sinks.includes(sink))
      .map((sink) => of('protects', `${topic} no longer feeds ${sink}; what it has stays there, as it is`)),
  ];
}

function compareSubject(from: Contract, to: Contract): Change[] {
  if (isDeepStrictEqual(from.subject, to.subject)) return [];
  const text = ({ subject }: Contract): string | null =>
    subject ? `${subject.type} by ${wayOf(subject)}` : null;
  const effect = usesSubjectKey(to, [])
    ? ': what is made with their own keys is from now on under others'
    : '';
  const sentence = `a row is now about ${text(to) ?? 'nobody'} (was ${text(from) ?? 'nobody'})${effect}`;
  return [change(to.table, 'changes', text(from), text(to), sentence)];
}

function told(
  from: Contract,
  to: Contract,
  field: 'owner' | 'tier' | 'staleness',
  sentence: (is: string, was: string) => string,
): Change[] {
  const [was, is] = [String(from[field]), String(to[field])];
  return was === is ? [] : [change(to.table, 'changes', was, is, sentence(is, was))];
}

function change(
  table: string,
  severity: ChangeSeverity,
  from: string | null,
  to: string | null,
  sentence: string,
): Change {
  return { table, severity, from, to, sentence };
}
