/**
 * What a column's values are, by the type Postgres' catalog names. Derived here once more from the rules, not
 * shared with the engine: a mistake on one side must show as a difference.
 */
export type Kind =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'decimal'
  | 'text'
  | 'interval'
  | 'timetz'
  | 'uuid'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'json'
  | 'bytes'
  | 'text[]'
  | 'int[]'
  | 'long[]';

const byType: Readonly<Record<string, Kind>> = {
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
  inet: 'text',
  cidr: 'text',
  macaddr: 'text',
  macaddr8: 'text',
  // Text to consumers, but Debezium prints them in another form than Postgres does.
  interval: 'interval',
  timetz: 'timetz',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  json: 'json',
  jsonb: 'json',
  // By its cast to json.
  hstore: 'json',
  bytea: 'bytes',
  _text: 'text[]',
  _varchar: 'text[]',
  _int4: 'int[]',
  _int8: 'long[]',
};

/** Kind of a column by its base type's name and `typtype`; undefined where no rule covers the type. */
export function kindOfType(typeName: string, typeType: string): Kind | undefined {
  if (typeType === 'e') return 'text';
  // By its cast to json, with its fields' names.
  if (typeType === 'c') return 'json';
  // As Postgres prints them; those of instants are in no zone of their own.
  if (typeType === 'r') return /^(?:int4|int8|num|date|ts)range$/.test(typeName) ? 'text' : undefined;
  if (typeType !== 'b') return undefined;
  return byType[typeName] ?? (typeName.startsWith('_') ? 'json' : undefined);
}

export function isArray(kind: Kind): boolean {
  return kind.endsWith('[]');
}
