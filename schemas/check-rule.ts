import { contractFinding } from './contract-finding.ts';
import type { ColumnRule, PathRule } from './column-rule.ts';
import type { Finding } from './finding.ts';
import { pathConflicts } from './json-path.ts';
import type { LoadedContract } from './load-contracts.ts';
import type { FieldPath } from './source-document.ts';

/** What is wrong with a rule by itself, whatever its column. */
export function checkRule(loaded: LoadedContract, at: FieldPath, rule: ColumnRule): Finding[] {
  return [
    ...checkStores(loaded, at, rule),
    ...(rule.action === 'paths' ? checkPaths(loaded, at, rule) : checkOptions(loaded, at, rule)),
  ];
}

/** Which stores a column goes to means something only for stores that the table feeds, and for a column that goes anywhere. */
function checkStores(loaded: LoadedContract, at: FieldPath, rule: ColumnRule): Finding[] {
  const { sinks } = loaded.contract;
  const add = (option: string, message: string, fix: string): Finding[] => [
    contractFinding(loaded, 'WRONG_VALUE', [...at, option], message, fix, 'key'),
  ];
  if (rule.action === 'drop') {
    const option = rule.sinks ? 'sinks' : 'searchable';
    if (rule[option] === undefined) return [];
    return add(option, 'a dropped column goes to no store', 'Remove it.');
  }
  const other = rule.sinks?.find((sink) => !sinks.includes(sink));
  if (other !== undefined)
    return add('sinks', `the table does not feed ${other}`, 'Add it to the sinks of the table.');
  const searched = (rule.sinks ?? sinks).includes('elasticsearch');
  if (rule.searchable === undefined || searched) return [];
  return add('searchable', 'the column does not go to Elasticsearch', 'Remove it.');
}

function checkPaths(
  loaded: LoadedContract,
  at: FieldPath,
  rule: ColumnRule & { action: 'paths' },
): Finding[] {
  const paths = Object.entries(rule.paths);
  const findings = paths.flatMap(([path, inner]) => {
    const place = [...at, 'paths', path];
    if (path.endsWith('**') && inner.action !== 'keep') {
      const message = `** lets pass everything below as it is, so ${inner.action} cannot stand there`;
      const fix = 'Use keep, or name the keys; encrypt takes a whole object without **.';
      return [contractFinding(loaded, 'PATH_CONFLICT', place, message, fix, 'key')];
    }
    return checkOptions(loaded, place, inner);
  });
  const wholes = new Set(paths.filter(([, inner]) => inner.action === 'encrypt').map(([path]) => path));
  for (const { path, other } of pathConflicts(Object.keys(rule.paths), wholes)) {
    const message = `${path} lies where ${other} already says what becomes of everything`;
    findings.push(
      contractFinding(
        loaded,
        'PATH_CONFLICT',
        [...at, 'paths', path],
        message,
        'Keep one of the two.',
        'key',
      ),
    );
  }
  return findings;
}

/** Options that would be ignored silently. */
function checkOptions(loaded: LoadedContract, at: FieldPath, rule: ColumnRule | PathRule): Finding[] {
  if (rule.action === 'redact') return checkRedact(loaded, at, rule);
  if (rule.action !== 'generalise' || rule.to === 'network') return [];
  return (['v4', 'v6'] as const)
    .filter((option) => rule[option] !== undefined)
    .map((option) =>
      contractFinding(
        loaded,
        'WRONG_VALUE',
        [...at, option],
        `${option} means nothing without to: network`,
        'Remove it, or write to: network.',
        'key',
      ),
    );
}

function checkRedact(
  loaded: LoadedContract,
  at: FieldPath,
  { kinds, names }: PathRule & { action: 'redact' },
): Finding[] {
  if (names && kinds && !kinds.includes('name')) {
    const message = 'names are given, and name is not among the kinds';
    return [
      contractFinding(loaded, 'WRONG_VALUE', [...at, 'kinds'], message, 'Add name to the kinds.', 'key'),
    ];
  }
  if (names || !kinds?.includes('name')) return [];
  const message = 'name is looked for, and no column says which names';
  const fix = 'Add names: [<columns that hold the person’s names>].';
  return [contractFinding(loaded, 'WRONG_VALUE', [...at, 'kinds'], message, fix, 'key')];
}
