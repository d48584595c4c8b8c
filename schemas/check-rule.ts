import { contractFinding } from './contract-finding.ts';
import type { ColumnRule, PathRule } from './column-rule.ts';
import type { Finding } from './finding.ts';
import { pathConflicts } from './json-path.ts';
import type { LoadedContract } from './load-contracts.ts';
import type { FieldPath } from './source-document.ts';

/** What is wrong with a rule by itself, whatever its column. */
export function checkRule(loaded: LoadedContract, at: FieldPath, rule: ColumnRule): Finding[] {
  if (rule.action !== 'paths') return checkOptions(loaded, at, rule);
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
