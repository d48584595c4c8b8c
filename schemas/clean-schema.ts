import type { Dataset, DatasetColumn } from './dataset.ts';
import { tableParts } from './contract.ts';
import type { ElementKind } from './value-kind.ts';

/** An Avro schema as JSON. */
export type AvroSchema =
  | string
  | AvroSchema[]
  | { readonly type: string | AvroSchema; readonly [key: string]: unknown };

/**
 * The Avro schema of a clean record, derived from table and contract alone: no default but null, no doc, no enum
 * symbol of the source gets in, so nothing personal can.
 *
 * A nullable column is `["null", T]` with default null, so columns may come and go compatibly. `lethe.action` says
 * what was done; `lethe.plain` is the Avro type of an encrypted value's plaintext.
 */
export function cleanAvroSchema(dataset: Dataset): AvroSchema {
  const { schema, table } = tableParts(dataset.table);
  return {
    type: 'record',
    name: table,
    namespace: `lethe.${schema}`,
    fields: dataset.columns.map((column) => ({
      name: column.name,
      ...(column.nullable
        ? { type: ['null', cleanType(column)], default: null }
        : { type: cleanType(column) }),
      'lethe.action': column.rule.action,
      'lethe.classification': column.rule.classification,
    })),
  };
}

function cleanType(column: DatasetColumn): AvroSchema {
  if (column.clean === 'ciphertext') return { type: 'bytes', 'lethe.plain': plainType(column) };
  if (column.clean === 'pseudonym') return 'string';
  if (column.clean === 'array') return arrayType(column.element!);
  return plainType(column);
}

/** The Avro type of a value of the column as it is at the source. */
export function plainType(column: DatasetColumn): AvroSchema {
  switch (column.source) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'bytes':
      return column.source;
    case 'text':
    case 'inet':
    case 'timestamptz':
    case 'json':
    case 'composite':
    case 'list':
    case 'decimal':
      return 'string';
    case 'uuid':
      return { type: 'string', logicalType: 'uuid' };
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'time':
      return { type: 'long', logicalType: 'time-micros' };
    case 'timestamp':
      return { type: 'long', logicalType: 'local-timestamp-micros' };
    case 'array':
      return arrayType(column.sourceElement!);
  }
}

function arrayType(element: ElementKind): AvroSchema {
  return { type: 'array', items: ['null', element === 'text' ? 'string' : element] };
}
