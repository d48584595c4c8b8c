import type { SourceColumn } from './source-table.ts';

/**
 * How a Postgres value travels through Debezium (decimal.handling.mode=string, time.precision.mode=microseconds,
 * interval.handling.mode=string, binary.handling.mode=bytes, hstore.handling.mode=json): one closed list, from which the Avro type, the mapping and
 * the ClickHouse type follow.
 */
export type ValueKind =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'decimal' // text, exact
  | 'text'
  | 'uuid'
  | 'inet' // text
  | 'date' // days since 1970-01-01
  | 'time' // microseconds of the day
  | 'timestamp' // microseconds since 1970-01-01, no zone
  | 'timestamptz' // ISO 8601 text in UTC
  | 'json' // text
  | 'bytes'
  | 'array' // of nullable text, int or long
  | 'composite' // read at the source, as JSON text
  | 'list'; // array of any other type: read at the source, as JSON text

const kinds: Readonly<Record<string, ValueKind>> = {
  bool: 'boolean',
  int2: 'int',
  int4: 'int',
  int8: 'long',
  float4: 'float',
  float8: 'double',
  numeric: 'decimal',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  citext: 'text',
  name: 'text',
  inet: 'inet',
  cidr: 'inet',
  macaddr: 'text',
  macaddr8: 'text',
  interval: 'text',
  timetz: 'text',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  json: 'json',
  jsonb: 'json',
  hstore: 'json',
  bytea: 'bytes',
};

/** Ranges that travel as Postgres prints them. Those of instants would be in whatever zone a session has. */
const ranges: ReadonlySet<string> = new Set(['int4range', 'int8range', 'numrange', 'daterange', 'tsrange']);

export type ElementKind = 'text' | 'int' | 'long';

/** Element kinds of the arrays that are taken. */
const elements: Readonly<Record<string, ElementKind>> = {
  _text: 'text',
  _varchar: 'text',
  _int4: 'int',
  _int8: 'long',
};

/** Kind of a column's values, or undefined when its type is not taken (say so at check, never skip it). */
export function valueKind(column: Pick<SourceColumn, 'typeName' | 'typeKind'>): ValueKind | undefined {
  if (column.typeKind === 'e') return 'text';
  if (column.typeKind === 'c') return 'composite';
  if (column.typeKind === 'r') return ranges.has(column.typeName) ? 'text' : undefined;
  if (column.typeKind !== 'b') return undefined;
  if (elements[column.typeName]) return 'array';
  // So Postgres names the arrays of a type.
  return kinds[column.typeName] ?? (column.typeName.startsWith('_') ? 'list' : undefined);
}

/** Element kind of an array column. */
export function elementKind(column: Pick<SourceColumn, 'typeName'>): ElementKind | undefined {
  return elements[column.typeName];
}

/** The type names that the taken types have in the catalog and to people, by kind. */
export function typesByKind(): ReadonlyMap<ValueKind, readonly string[]> {
  const all = new Map<ValueKind, string[]>();
  const add = (kind: ValueKind, type: string) => all.set(kind, [...(all.get(kind) ?? []), type]);
  for (const [type, kind] of Object.entries(kinds)) add(kind, type);
  add('text', 'enums');
  for (const type of ranges) add('text', type);
  for (const type of Object.keys(elements)) add('array', `${type.slice(1)}[]`);
  add('list', 'every other array');
  add('composite', 'composite types');
  return all;
}
