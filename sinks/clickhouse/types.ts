import type { DatasetColumn } from '../../schemas/dataset.ts';

/** A column's type, spelled as ClickHouse gives it back. */
export interface ColumnType {
  readonly sql: string;
  /** Length in bytes of the type's default in RowBinary, which is all zeros (or one byte 1: null). */
  readonly defaultBytes: number;
  readonly nullable: boolean;
}

/** Digits that ClickHouse's widest Decimal holds. */
const maxDecimalDigits = 76;

/** Precision and scale in ClickHouse of a Postgres numeric, whose scale may be negative or above its precision. */
export function decimalShape(column: DatasetColumn): { precision: number; scale: number } | undefined {
  if (column.precision === undefined) return undefined;
  const scale = Math.max(column.scale ?? 0, 0);
  const precision = Math.max(column.precision - Math.min(column.scale ?? 0, 0), scale);
  return precision <= maxDecimalDigits ? { precision, scale } : undefined;
}

/** Bytes of a Decimal of so many digits. */
export function decimalBytes(precision: number): 4 | 8 | 16 | 32 {
  if (precision <= 9) return 4;
  if (precision <= 18) return 8;
  return precision <= 38 ? 16 : 32;
}

const string = { sql: 'String', defaultBytes: 1 };

/** One type for each kind of value. */
const types: Readonly<
  Record<DatasetColumn['clean'], (column: DatasetColumn) => { sql: string; defaultBytes: number }>
> = {
  boolean: () => ({ sql: 'Bool', defaultBytes: 1 }),
  int: () => ({ sql: 'Int32', defaultBytes: 4 }),
  long: () => ({ sql: 'Int64', defaultBytes: 8 }),
  float: () => ({ sql: 'Float32', defaultBytes: 4 }),
  double: () => ({ sql: 'Float64', defaultBytes: 8 }),
  decimal: (column) => {
    const shape = decimalShape(column);
    if (!shape) return string;
    const sql = `Decimal(${shape.precision}, ${shape.scale})`;
    return { sql, defaultBytes: decimalBytes(shape.precision) };
  },
  text: () => string,
  uuid: () => ({ sql: 'UUID', defaultBytes: 16 }),
  inet: () => string,
  date: () => ({ sql: 'Date32', defaultBytes: 4 }),
  time: () => string,
  // UTC for both: without a zone of its own a column would be shown in the server's.
  timestamp: () => ({ sql: "DateTime64(6, 'UTC')", defaultBytes: 8 }),
  timestamptz: () => ({ sql: "DateTime64(6, 'UTC')", defaultBytes: 8 }),
  json: () => string,
  bytes: () => string,
  ciphertext: () => string,
  pseudonym: () => string,
  array: (column) => {
    const element = { text: 'String', int: 'Int32', long: 'Int64' }[column.element ?? 'text'];
    return { sql: `Array(Nullable(${element}))`, defaultBytes: 1 };
  },
};

/** The type of a column. An array cannot be null in ClickHouse, and a key column must not be. */
export function columnType(column: DatasetColumn): ColumnType {
  const type = types[column.clean](column);
  const nullable = column.nullable && column.clean !== 'array' && column.keyIndex === undefined;
  return nullable ? { sql: `Nullable(${type.sql})`, defaultBytes: 1, nullable } : { ...type, nullable };
}

/** Columns that every table has beside those of the contract. */
export const metaColumns = [
  { name: '_lethe_version', sql: 'UInt256' },
  { name: '_lethe_deleted', sql: 'UInt8' },
  { name: '_lethe_event_id', sql: 'String' },
  { name: '_lethe_trace_id', sql: 'String' },
  { name: '_lethe_lsn', sql: 'String' },
  { name: '_lethe_commit_ms', sql: "DateTime64(3, 'UTC')" },
  { name: '_lethe_contract', sql: 'String' },
] as const;

/** Kinds whose canonical text in a record key can be read back, see schemas/record-key.ts. */
export const keyKinds: ReadonlySet<DatasetColumn['clean']> = new Set([
  'boolean',
  'int',
  'long',
  'decimal',
  'text',
  'uuid',
  'inet',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'pseudonym',
]);
