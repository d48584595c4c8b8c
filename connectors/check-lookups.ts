import { contractFinding } from '../schemas/contract-finding.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { type DeclaredPath, pathsOf } from '../schemas/lookups.ts';
import { usesSubjectKey } from '../schemas/subject-keys.ts';
import { conditionKinds } from '../schemas/row-condition.ts';
import { type ValueKind, valueKind } from '../schemas/value-kind.ts';
import { generatedProblem } from './check-columns.ts';
import { subjectKinds } from './check-subject.ts';
import { isOfKind } from './check-conditions.ts';
import type { Catalog, CatalogColumn } from './postgres/catalog.ts';

/** Types of text whose equal values are spelled alike, so that a digest finds what a join finds. */
const oneSpelling: ReadonlySet<string> = new Set(['text', 'varchar']);

/** What the paths of a contract need of the tables: each value can be looked up by the next table's primary key. */
export function checkLookups(loaded: LoadedContract, catalog: Catalog): Finding[] {
  return pathsOf(loaded.contract).flatMap((path) => checkPath(loaded, path, catalog));
}

function checkPath(loaded: LoadedContract, path: DeclaredPath, catalog: Catalog): Finding[] {
  const { contract } = loaded;
  const add = (code: FindingCode, i: number, message: string, fix: string): Finding[] => [
    contractFinding(loaded, code, [path.use, 'path', i], message, fix),
  ];
  const steps = [{ table: contract.table, column: path.column }, ...path.hops];
  let value: CatalogColumn | undefined;
  for (const [i, { table: name, column: columnName }] of steps.entries()) {
    const table = catalog.tables.get(name);
    // That there is no such table is said of its own contract.
    if (!table) return [];
    if (value) {
      const [keyName, ...more] = table.primaryKey;
      const key = table.columns.find((candidate) => candidate.name === keyName);
      if (!key || more.length > 0) {
        const message = `${name} has no primary key of one column, by which it could be looked up`;
        return add('PATH_TABLE', i, message, 'Lead the path over a table that has one.');
      }
      if (!joins(value, key)) {
        const message = `${value.name} is ${value.typeText}, the key of ${name} is ${key.typeText}: the one cannot be looked up by the other`;
        return add('PATH_COLUMN', i, message, `Join columns of one type: ${[...subjectKinds].join(', ')}.`);
      }
    }
    const column = table.columns.find((candidate) => candidate.name === columnName);
    if (!column) {
      const names = table.columns.map((candidate) => candidate.name);
      const message = `${name} has no column ${columnName}.${didYouMean(columnName, names)}`;
      return add('PATH_COLUMN', i, message, `Name one of ${names.join(', ')}.`);
    }
    const generated = generatedProblem(column, catalog.serverVersion);
    if (generated) return add('PATH_COLUMN', i, generated, 'Name an ordinary column.');
    value = column;
  }
  return checkEnd(loaded, path, value!, catalog, add);
}

/** The kind that a value needs to be looked up by, or undefined: citext and char(n) find what is spelled differently. */
function lookupKind(column: CatalogColumn): ValueKind | undefined {
  const kind = valueKind(column);
  if (!kind || !subjectKinds.has(kind)) return undefined;
  return kind === 'text' && column.typeKind !== 'e' && !oneSpelling.has(column.typeName) ? undefined : kind;
}

function joins(value: CatalogColumn, key: CatalogColumn): boolean {
  const whole = (kind: ValueKind | undefined) => (kind === 'long' ? 'int' : kind);
  const kind = whole(lookupKind(value));
  return kind !== undefined && kind === whole(lookupKind(key));
}

function checkEnd(
  loaded: LoadedContract,
  path: DeclaredPath,
  column: CatalogColumn,
  catalog: Catalog,
  add: (code: FindingCode, i: number, message: string, fix: string) => Finding[],
): Finding[] {
  const kind = valueKind(column);
  const last = path.hops.length;
  const { consent } = loaded.contract;
  if (path.use === 'subject') {
    if (!kind || !subjectKinds.has(kind)) {
      const message = `${column.name} is ${column.typeText}, which cannot say whose row it is`;
      return add('SUBJECT_TYPE', last, message, `A subject may be ${[...subjectKinds].join(', ')}.`);
    }
    if (
      column.nullable &&
      usesSubjectKey(loaded.contract, catalog.tables.get(loaded.contract.table)!.primaryKey)
    ) {
      const message = `${column.name} may be null: a row without a subject becomes a dead letter`;
      const fix = `Make ${column.name} NOT NULL at the source.`;
      return add('SUBJECT_NULLABLE', last, message, fix).map((one) => ({ ...one, severity: 'warning' }));
    }
    return [];
  }
  if (!kind || !conditionKinds.has(kind)) {
    const message = `${column.name} is ${column.typeText}, whose values have more than one spelling`;
    return add('CONDITION_TYPE', last, message, `A condition may be on ${[...conditionKinds].join(', ')}.`);
  }
  if (consent!.granted.every((value) => isOfKind(kind, value))) return [];
  const message = `a value that a ${kind} never has: the condition would always say the same`;
  const fix = `Write values of ${column.name}, which is ${column.typeText}.`;
  return [contractFinding(loaded, 'CONDITION_TYPE', ['consent', 'granted'], message, fix)];
}
