import { contractFinding } from '../schemas/contract-finding.ts';
import { usesSubjectKey } from '../schemas/subject-keys.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { type ValueKind, valueKind } from '../schemas/value-kind.ts';
import { generatedProblem } from './check-columns.ts';
import type { CatalogTable } from './postgres/catalog.ts';

/** Kinds that a subject's name in the key store can be made of. */
export const subjectKinds: ReadonlySet<ValueKind> = new Set(['text', 'int', 'long', 'uuid']);

/** The column that says whose row it is must reach the processor and have one canonical text. */
export function checkSubject(loaded: LoadedContract, table: CatalogTable, serverVersion: number): Finding[] {
  const { subject, columns } = loaded.contract;
  if (!subject || !('key' in subject)) return [];
  const add = (
    code: FindingCode,
    message: string,
    fix: string,
    severity: Finding['severity'] = 'error',
  ): Finding[] => [contractFinding(loaded, code, ['subject', 'key'], message, fix, 'value', severity)];
  const column = table.columns.find((candidate) => candidate.name === subject.key);
  if (!column) {
    const names = table.columns.map((candidate) => candidate.name);
    const message = `${table.table} has no column ${subject.key}.${didYouMean(subject.key, names)}`;
    return add('SUBJECT_COLUMN_MISSING', message, `Name one of ${names.join(', ')}.`);
  }
  if (!Object.hasOwn(columns, subject.key)) {
    const message = `the subject's column ${subject.key} is not listed: it would not reach the processor`;
    return add(
      'SUBJECT_COLUMN_MISSING',
      message,
      `Add ${subject.key} to columns; with drop it goes no further.`,
    );
  }
  const generated = generatedProblem(column, serverVersion);
  if (generated) return add('COLUMN_GENERATED', generated, 'Name an ordinary column.');
  const kind = valueKind(column);
  if (!kind || !subjectKinds.has(kind)) {
    const message = `${subject.key} is ${column.typeText}, which cannot say whose row it is`;
    return add('SUBJECT_TYPE', message, `A subject may be ${[...subjectKinds].join(', ')}.`);
  }
  if (column.nullable && usesSubjectKey(loaded.contract, table.primaryKey)) {
    const message = `${subject.key} may be null: a row without a subject becomes a dead letter`;
    return add('SUBJECT_NULLABLE', message, `Make ${subject.key} NOT NULL at the source.`, 'warning');
  }
  return [];
}
