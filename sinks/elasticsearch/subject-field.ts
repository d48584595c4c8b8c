import { isDeepStrictEqual } from 'node:util';
import type { DatasetColumn } from '../../schemas/dataset.ts';
import { prefixLength } from '../subject-marks.ts';
import { fieldMapping } from './types.ts';

/** Elasticsearch's own limit of terms is 65,536. */
const valuesOfASearch = 10_000;

/** The field by which a column is found by its whole value; none in an index of other times, where it is another one. */
export function searchable(column: DatasetColumn, mapping: unknown): string | undefined {
  const expected = fieldMapping(column);
  if (expected['index'] === false || !isDeepStrictEqual(mapping, expected)) return undefined;
  return expected['type'] === 'text' ? `${column.name}.keyword` : column.name;
}

/** Conditions that together find what has one of these values in the field. */
export function* termsOf(
  field: string,
  column: DatasetColumn,
  texts: readonly string[],
): Generator<{ readonly terms: Readonly<Record<string, readonly string[]>> }> {
  const values = texts.filter((text) => fits(column, text));
  for (let from = 0; from < values.length; from += valuesOfASearch)
    yield { terms: { [field]: values.slice(from, from + valuesOfASearch) } };
}

/** A number that the field cannot have would fail the whole search. */
function fits({ clean }: DatasetColumn, text: string): boolean {
  if (clean !== 'int' && clean !== 'long') return true;
  if (!/^-?\d{1,19}$/.test(text)) return false;
  return BigInt.asIntN(clean === 'int' ? 32 : 64, BigInt(text)) === BigInt(text);
}

/** What the ciphertexts in these columns of a document begin with. */
export function beginningsOf(
  source: Readonly<Record<string, unknown>> | undefined,
  columns: readonly string[],
): string[] {
  return columns.flatMap((name) => {
    const value = source?.[name];
    return typeof value === 'string' && value.length >= prefixLength ? value.slice(0, prefixLength) : [];
  });
}
