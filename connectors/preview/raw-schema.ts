import type { AvroSchema } from '../../schemas/clean-schema.ts';
import type { SourceColumn } from '../../schemas/source-table.ts';
import { elementKind, valueKind } from '../../schemas/value-kind.ts';

/** The Avro type that Debezium's converter writes for a column; `string` stands for every kind that travels as text. */
export function rawAvroType(column: Pick<SourceColumn, 'typeName' | 'typeKind'>): {
  type: string;
  items?: AvroSchema;
} {
  const kind = valueKind(column);
  switch (kind) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'bytes':
      return { type: kind };
    case 'date':
      return { type: 'int' };
    case 'time':
    case 'timestamp':
      return { type: 'long' };
    case 'array': {
      const element = elementKind(column)!;
      return { type: 'array', items: ['null', element === 'text' ? 'string' : element] };
    }
    default:
      return { type: 'string' };
  }
}

/** Writer schema of a snapshot read of these columns, as far as Debezium's envelope is looked at. */
export function readEnvelopeSchema(columns: readonly SourceColumn[]): AvroSchema {
  return {
    type: 'record',
    name: 'Envelope',
    fields: [
      { name: 'before', type: ['null', rowSchema('Value', columns)], default: null },
      { name: 'after', type: ['null', 'Value'], default: null },
      {
        name: 'source',
        type: {
          type: 'record',
          name: 'Source',
          fields: [
            { name: 'ts_ms', type: 'long' },
            { name: 'snapshot', type: 'string' },
          ],
        },
      },
      { name: 'op', type: 'string' },
    ],
  };
}

/** Writer schema of the raw key. */
export function rawKeySchema(key: readonly SourceColumn[]): AvroSchema {
  return rowSchema('Key', key);
}

function rowSchema(name: string, columns: readonly SourceColumn[]): AvroSchema {
  return {
    type: 'record',
    name,
    fields: columns.map((column) => {
      const type = rawAvroType(column);
      return column.nullable
        ? { name: column.name, type: ['null', type], default: null }
        : { name: column.name, type };
    }),
  };
}
