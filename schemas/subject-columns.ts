import { type Dataset, type DatasetColumn, keyActions } from './dataset.ts';

/** Kinds of values that every store finds again by their text. */
const told: ReadonlySet<DatasetColumn['clean']> = new Set(['int', 'long', 'uuid', 'text', 'pseudonym']);

/**
 * The column of clean rows that says whose each is, with one value for each person; undefined where a path says it, or the column does not
 * pass so. `columns`: those of one store, or all.
 */
export function subjectColumn({
  subject,
  columns,
}: Pick<Dataset, 'subject' | 'columns'>): DatasetColumn | undefined {
  if (!subject || subject.hops.length > 0) return undefined;
  return columns.find(
    ({ name, rule, clean }) => name === subject.key && keyActions.has(rule.action) && told.has(clean),
  );
}

/** Columns whose values name the person's key. */
export function encryptedColumns({ columns }: Pick<Dataset, 'columns'>): DatasetColumn[] {
  return columns.filter(({ clean }) => clean === 'ciphertext');
}
