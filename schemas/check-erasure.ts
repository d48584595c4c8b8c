import { contractFinding } from './contract-finding.ts';
import { didYouMean } from './did-you-mean.ts';
import { sourceErasure } from './erasure-rule.ts';
import type { Finding, FindingCode } from './finding.ts';
import type { LoadedContract } from './load-contracts.ts';
import type { FieldPath } from './source-document.ts';

/** What contracts say of erasure, as far as it can be told without the tables. */
export function checkErasure(contracts: readonly LoadedContract[]): Finding[] {
  return [...contracts.flatMap(checkRule), ...checkStarts(contracts)];
}

function checkRule(loaded: LoadedContract): Finding[] {
  const { erasure, subject, columns: passed } = loaded.contract;
  if (!erasure) return [];
  const add = (at: FieldPath, message: string, fix: string, code: FindingCode = 'ERASURE_RULE'): Finding =>
    contractFinding(loaded, code, ['erasure', ...at], message, fix);
  if (!subject) {
    const message = 'the table has no subject: nobody could tell whose rows are to be erased';
    const fix =
      'Add subject: { type: …, key: <column that says whose row it is> }, or path; or remove erasure.';
    return [contractFinding(loaded, 'ERASURE_RULE', ['erasure'], message, fix, 'key')];
  }
  const findings: Finding[] = [];
  const source = sourceErasure(loaded.contract);
  const { columns = [], retain, starts } = erasure;
  if (source === 'null' && columns.length === 0) {
    const message = 'nothing says which columns are set to null';
    findings.push(add(['source'], message, 'Add columns: [<those that are set to null>].'));
  }
  if (source !== 'null' && columns.length > 0) {
    const fix = 'Write source: null, or remove columns.';
    findings.push(add(['columns'], 'columns are set to null by source: null alone', fix));
  }
  const ofSubject = 'key' in subject ? subject.key : subject.path[0];
  columns.forEach((name, i) => {
    if (name !== ofSubject) return;
    const message = `${name} says whose row it is: set to null, nobody would find the row again`;
    findings.push(add(['columns', i], message, 'Take it out, or write source: delete.'));
  });
  if (retain && source === 'delete') {
    const message = 'a row that is deleted at the source keeps nothing';
    findings.push(add(['source'], message, 'Write source: null with columns, or remove retain.'));
  }
  retain?.columns.forEach((name, i) => {
    const at = ['retain', 'columns', i];
    if (columns.includes(name)) {
      const message = `${name} is set to null at the source, so it cannot be kept`;
      findings.push(add(at, message, 'Take it out of one of the two lists.'));
    }
    if (name === ofSubject) {
      const message = `${name} says whose row it is: kept, it would lead to the person`;
      findings.push(add(at, message, 'Take it out.'));
    }
    const rule = Object.hasOwn(passed, name) ? passed[name] : undefined;
    if (!rule || rule.action === 'drop') {
      const what = rule ? 'is dropped' : 'is not listed';
      const message = `${name} ${what}: nothing of it is there to be kept.${rule ? '' : didYouMean(name, Object.keys(passed))}`;
      findings.push(add(at, message, 'Name a column that passes.', 'COLUMN_MISSING'));
    }
  });
  if (starts === true && !('key' in subject)) {
    const message =
      'only a delete of the person’s own row can start an erasure, and a path leads from it to others';
    findings.push(add(['starts'], message, 'Remove starts here; write it where the person’s own row is.'));
  }
  return findings;
}

/** Two rows that start the erasure of one person would ask for it twice, and nobody could say which delete was meant. */
function checkStarts(contracts: readonly LoadedContract[]): Finding[] {
  const first = new Map<string, string>();
  return contracts.flatMap((loaded) => {
    const { erasure, subject, table } = loaded.contract;
    if (erasure?.starts !== true || !subject) return [];
    const other = first.get(subject.type);
    if (other === undefined) {
      first.set(subject.type, table);
      return [];
    }
    const message = `a delete in ${other} starts the erasure of a ${subject.type} already`;
    const at = ['erasure', 'starts'];
    return [contractFinding(loaded, 'ERASURE_RULE', at, message, 'Leave it in one of the two.')];
  });
}
