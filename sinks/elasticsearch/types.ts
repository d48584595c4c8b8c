import type { DatasetColumn } from '../../schemas/dataset.ts';

/** A field of the mapping, exactly as Elasticsearch gives it back. */
export type FieldMapping = Readonly<Record<string, string | number | boolean | object>>;

/**
 * Lucene refuses a term above 32,766 bytes and with it the whole document; 8,191 characters can never be more.
 * What is longer stays in `_source` and is only not searchable.
 */
const longestTerm = 8_191;

/** A double holds every decimal of so many digits. */
const doubleDigits = 15;

const keyword: FieldMapping = { type: 'keyword', ignore_above: longestTerm };
/** Kept in `_source` only. */
const opaque: FieldMapping = { type: 'keyword', index: false, doc_values: false };

/**
 * One type for each kind of value. `ignore_malformed` stands where a right value may lie outside what the field
 * type takes (NaN, infinity, years before 0 or after 9999): the document is kept whole, the field is not indexed.
 */
const fields: Readonly<Record<DatasetColumn['clean'], (column: DatasetColumn) => FieldMapping>> = {
  boolean: () => ({ type: 'boolean' }),
  int: () => ({ type: 'integer' }),
  long: () => ({ type: 'long' }),
  float: () => ({ type: 'float' }),
  double: () => ({ type: 'double' }),
  decimal: (column) =>
    column.precision !== undefined && column.precision <= doubleDigits
      ? { type: 'double', ignore_malformed: true }
      : keyword,
  text: () => ({ type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 1_024 } } }),
  uuid: () => keyword,
  // Not `ip`: that takes no network such as 192.0.2.0/24.
  inet: () => keyword,
  date: () => ({ type: 'date', format: 'strict_date', ignore_malformed: true }),
  time: () => keyword,
  timestamp: () => ({ type: 'date', format: 'strict_date_optional_time', ignore_malformed: true }),
  timestamptz: () => ({ type: 'date', format: 'strict_date_optional_time', ignore_malformed: true }),
  json: () => opaque,
  bytes: () => opaque,
  ciphertext: () => opaque,
  pseudonym: () => keyword,
  array: (column) => {
    if (column.element === 'int') return { type: 'integer' };
    return column.element === 'long' ? { type: 'long' } : keyword;
  },
};

/** The field of a column. */
export function fieldMapping(column: DatasetColumn): FieldMapping {
  if (column.rule.searchable === false) return opaque;
  return fields[column.clean](column);
}

/** Name of the object in every document that holds what Lethe says of it. */
export const metaField = '_lethe';

/** Searched for by its whole value, never sorted or counted by: without doc values a load is faster. */
const lookup: FieldMapping = { type: 'keyword', doc_values: false, ignore_above: longestTerm };

/**
 * Only what is searched for is indexed, since each indexed id costs a load as much as a column: a document is found by
 * its key through `_id`, the documents of a transaction through `trace_id`.
 */
export const metaMapping: FieldMapping = {
  dynamic: 'strict',
  properties: {
    key: opaque,
    version: opaque,
    event_id: opaque,
    trace_id: lookup,
    lsn: opaque,
    commit_ms: { type: 'date', format: 'epoch_millis' },
    contract: { type: 'keyword' },
    deleted: { type: 'boolean' },
  },
};

const metadataFields: ReadonlySet<string> = new Set([
  metaField,
  '_data_stream_timestamp',
  '_doc_count',
  '_feature',
  '_field_names',
  '_id',
  '_ignored',
  '_ignored_source',
  '_index',
  '_index_mode',
  '_inference_fields',
  '_nested_path',
  '_primary_term',
  '_recovery_source',
  '_routing',
  '_seq_no',
  '_size',
  '_source',
  '_tier',
  '_tsid',
  '_type',
  '_version',
]);

/** Why a column of this name cannot be a field; undefined if it can. */
export function unfitFieldName(name: string): string | undefined {
  if (metadataFields.has(name)) return 'is a name of Elasticsearch or Lethe itself';
  if (name.includes('.')) return 'holds a dot, which Elasticsearch takes for a path';
  return name.trim() === '' ? 'is blank' : undefined;
}
