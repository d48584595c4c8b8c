import type { Dataset, DatasetColumn } from './dataset.ts';

/** What a record's key is made of, a text for each of its columns: where one differs, the same row gets another key. */
export function recordKeyRule({ key }: Pick<Dataset, 'key'>): string[] {
  return key.map((column) => [column.name, kindText(column), ...options(column)].join(' '));
}

/** All whole numbers have one canonical text. */
function kindText({ source }: DatasetColumn): string {
  return source === 'int' || source === 'long' ? 'integer' : source;
}

/** Of a pseudonym: how it is made, and the domain that it is bound to instead of the column. */
function options({ rule }: DatasetColumn): string[] {
  const domain = 'domain' in rule && rule.domain !== undefined ? [`in ${rule.domain}`] : [];
  const alphabet = 'alphabet' in rule ? [rule.alphabet] : [];
  return [rule.action, ...alphabet, ...domain];
}
