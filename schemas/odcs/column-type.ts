import type { SourceTable } from '../source-table.ts';
import { type ValueKind, valueKind } from '../value-kind.ts';

const logicalTypes: Readonly<Record<ValueKind, string>> = {
  boolean: 'boolean',
  int: 'integer',
  long: 'integer',
  float: 'number',
  double: 'number',
  decimal: 'number',
  text: 'string',
  uuid: 'string',
  inet: 'string',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  json: 'object',
  bytes: 'string',
  array: 'array',
  composite: 'object',
  list: 'array',
};

const options: Readonly<Partial<Record<ValueKind, object>>> = {
  uuid: { format: 'uuid' },
  bytes: { format: 'binary' },
  timestamp: { timezone: false },
  timestamptz: { timezone: true },
};

/** A column's type and place in the key as the standard has them; nothing for a column that the table does not have. */
export function columnType(table: SourceTable | undefined, name: string): Readonly<Record<string, unknown>> {
  const column = table?.columns.find((candidate) => candidate.name === name);
  if (!table || !column) return {};
  const kind = valueKind(column);
  const keyIndex = table.primaryKey.indexOf(name);
  return {
    ...(kind ? { logicalType: logicalTypes[kind] } : {}),
    ...(kind && options[kind] ? { logicalTypeOptions: options[kind] } : {}),
    physicalType: column.typeText,
    required: !column.nullable,
    ...(keyIndex < 0 ? {} : { primaryKey: true, primaryKeyPosition: keyIndex + 1 }),
  };
}
