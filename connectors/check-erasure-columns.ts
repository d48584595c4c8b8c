import { innermostRules } from '../schemas/column-rule.ts';
import { contractFinding } from '../schemas/contract-finding.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { ErasureRule } from '../schemas/erasure-rule.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import type { FieldPath } from '../schemas/source-document.ts';
import { isUnderSubject } from '../schemas/subject-keys.ts';
import { vocabulary } from '../schemas/vocabulary.ts';
import type { CatalogTable } from './postgres/catalog.ts';

type Add = (at: FieldPath, message: string, fix: string, code?: FindingCode) => Finding;

/** What a contract's erasure needs of the table: columns that can be null, and nothing kept that leads to the person. */
export function checkErasureColumns(loaded: LoadedContract, table: CatalogTable): Finding[] {
  const { erasure, subject } = loaded.contract;
  // That erasure needs a subject is said without the table.
  if (!erasure || !subject) return [];
  const add: Add = (at, message, fix, code = 'ERASURE_RULE') =>
    contractFinding(loaded, code, ['erasure', ...at], message, fix);
  return [
    ...(erasure.source === 'null' ? nulled(loaded, table, erasure, add) : []),
    ...(erasure.retain ? retained(loaded, table, erasure.retain, add) : []),
    ...(erasure.starts === true ? started(loaded, table, add) : []),
  ];
}

function nulled(loaded: LoadedContract, table: CatalogTable, erasure: ErasureRule, add: Add): Finding[] {
  const { columns = [] } = erasure;
  const findings = columns.flatMap((name, i): Finding[] => {
    const at = ['columns', i];
    const column = table.columns.find((candidate) => candidate.name === name);
    if (!column) {
      const names = table.columns.map((candidate) => candidate.name);
      const message = `${table.table} has no column ${name}.${didYouMean(name, names)}`;
      return [add(at, message, `Name one of ${names.join(', ')}.`, 'COLUMN_MISSING')];
    }
    if (column.generated) {
      const message = `${name} is generated: it cannot be set to null`;
      return [add(at, message, 'Name the columns that it is made of.')];
    }
    if (column.nullable) return [];
    const message = `${name} is NOT NULL: Postgres would refuse to set it to null`;
    return [add(at, message, 'Make it nullable at the source, or write source: delete.')];
  });
  const left = Object.entries(loaded.contract.columns).flatMap(([name, { classification }]) =>
    vocabulary[classification].personal && !columns.includes(name) && !staysInRow(loaded, table, name)
      ? [name]
      : [],
  );
  if (left.length === 0) return findings;
  const message = `personal, and not set to null at the source: ${left.join(', ')}`;
  const fix = 'Add them, unless they are meant to stay.';
  const notice = contractFinding(
    loaded,
    'ERASURE_RULE',
    ['erasure', 'columns'],
    message,
    fix,
    'key',
    'notice',
  );
  return [...findings, notice];
}

/** What the row is found by, and what is kept by law. */
function staysInRow({ contract }: LoadedContract, table: CatalogTable, name: string): boolean {
  const { subject, erasure } = contract;
  return (
    table.primaryKey.includes(name) ||
    (subject !== undefined && name === ('key' in subject ? subject.key : subject.path[0])) ||
    erasure?.retain?.columns.includes(name) === true
  );
}

/**
 * A value under the person's own key is lost with it, and one that still says whose it is was not erased: a row that is kept is a
 * pseudonymised one.
 */
function retained(
  loaded: LoadedContract,
  table: CatalogTable,
  retain: NonNullable<ErasureRule['retain']>,
  add: Add,
): Finding[] {
  const { columns, subject } = loaded.contract;
  const subjectColumn = subject && 'key' in subject ? subject.key : undefined;
  const isClear = (name: string): boolean => Object.hasOwn(columns, name) && columns[name]!.action === 'keep';
  const findings = retain.columns.flatMap((name, i): Finding[] => {
    const rule = Object.hasOwn(columns, name) ? columns[name]! : undefined;
    if (!rule) return [];
    const at = ['retain', 'columns', i];
    const isKey = table.primaryKey.includes(name);
    const lost = innermostRules(rule).some((inner) => isUnderSubject(inner, { hasSubject: true, isKey }));
    if (lost) {
      const message = `${name} is under the person's own key, with which it is lost: it cannot be kept yet`;
      const fix =
        'Write under: shared, or another action than encrypt; or read what has to be kept at the source.';
      return [add(at, message, fix)];
    }
    if (name !== subjectColumn || !isClear(name)) return [];
    const message = `${name} says in the clear whose row it is: the person would not be erased`;
    return [add(at, message, `Take ${name} out, or write action: hash with under: shared.`)];
  });
  const clearKeys = table.primaryKey.filter(
    (name) => isClear(name) && (name === subjectColumn || vocabulary[columns[name]!.classification].personal),
  );
  if (clearKeys.length > 0 && !clearKeys.some((name) => retain.columns.includes(name))) {
    const message = `the primary key (${clearKeys.join(', ')}) stays with the row, and says in the clear whose it is`;
    findings.push(add(['retain'], message, 'Write action: hash for the key, or keep nothing of this table.'));
  }
  return findings;
}

function started(loaded: LoadedContract, table: CatalogTable, add: Add): Finding[] {
  const { subject } = loaded.contract;
  if (!subject || !('key' in subject)) return [];
  if (table.primaryKey.length === 1 && table.primaryKey[0] === subject.key) return [];
  const message = `the primary key of ${table.table} is not ${subject.key}: a deleted row need not be the person's own`;
  return [add(['starts'], message, 'Remove starts here; write it where the person’s own row is.')];
}
