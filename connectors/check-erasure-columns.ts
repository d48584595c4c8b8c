import { contractFinding } from '../schemas/contract-finding.ts';
import { cleanKind } from '../schemas/dataset.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { ErasureRule } from '../schemas/erasure-rule.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { drawableKinds } from '../schemas/retained-row.ts';
import type { FieldPath } from '../schemas/source-document.ts';
import { valueKind } from '../schemas/value-kind.ts';
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
 * A row that is kept has an id drawn by lot, and nothing that says whose it was: what was under the person's own key is made anew under a key
 * of its own.
 */
function retained(
  loaded: LoadedContract,
  table: CatalogTable,
  retain: NonNullable<ErasureRule['retain']>,
  add: Add,
): Finding[] {
  const { columns, subject } = loaded.contract;
  const leads = subject && ('key' in subject ? subject.key : subject.path[0]);
  const findings = retain.columns.flatMap((name, i): Finding[] => {
    const at = ['retain', 'columns', i];
    if (name === leads) {
      const message = `${name} says whose row it is: the person would not be erased`;
      return [add(at, message, `Take ${name} out.`)];
    }
    if (!table.primaryKey.includes(name)) return [];
    const message = `${name} is of the primary key: a row that is kept has another one, drawn by lot`;
    return [
      add(at, message, `Take ${name} out; a number that the law asks for stands in a column of its own.`),
    ];
  });
  for (const name of table.primaryKey) {
    const rule = Object.hasOwn(columns, name) ? columns[name]! : undefined;
    const column = table.columns.find((candidate) => candidate.name === name);
    const kind = column && valueKind(column);
    const clean = rule && kind && cleanKind(rule, kind);
    if (clean === undefined || drawableKinds.has(clean)) continue;
    const message = `${name} is of the primary key and ${column!.typeText}, of which no id can be drawn by lot`;
    findings.push(add(['retain'], message, 'Write action: hash for it, or keep nothing of this table.'));
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
