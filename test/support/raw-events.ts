import { rawAvroType as columnType } from '../../connectors/preview/raw-schema.ts';
import type { AvroSchema } from '../../schemas/clean-schema.ts';
import type { ColumnRule } from '../../schemas/column-rule.ts';
import { deriveDataset, type Dataset } from '../../schemas/dataset.ts';
import type { SourceColumn, SourceTable } from '../../schemas/source-table.ts';

/** A column for tests: its Postgres type, nullability and rule; an unnamed column has no rule. */
export interface TestColumn {
  readonly name: string;
  readonly typeName: string;
  /** `b` where nothing is said. */
  readonly typeKind?: string;
  readonly nullable: boolean;
  readonly rule: ColumnRule | undefined;
  /** A non-null default, which makes Avro put the value's branch first. */
  readonly hasDefault?: boolean;
}

const defaults: Record<string, unknown> = {
  int: 7,
  long: 7,
  string: 'x',
  boolean: true,
  double: 1,
  float: 1,
  bytes: '',
};

/** The Avro type Debezium's converter writes for a Postgres type. */
export function rawAvroType(typeName: string): ReturnType<typeof columnType> {
  return columnType({ typeName, typeKind: 'b' });
}

/** Writer schema of a change event as Debezium 3 with the Avro converter registers it. */
export function envelopeSchema(columns: readonly TestColumn[]): AvroSchema {
  const fields = columns.map((c) => {
    const type = rawAvroType(c.typeName);
    if (!c.nullable) return { name: c.name, type };
    const value = defaults[type.type];
    if (c.hasDefault && value !== undefined) return { name: c.name, type: [type, 'null'], default: value };
    return { name: c.name, type: ['null', type], default: null };
  });
  const optional = (name: string, type: string) => ({ name, type: ['null', type], default: null });
  return {
    type: 'record',
    name: 'Envelope',
    namespace: 'raw.public.t',
    fields: [
      { name: 'before', type: ['null', { type: 'record', name: 'Value', fields }], default: null },
      { name: 'after', type: ['null', 'Value'], default: null },
      {
        name: 'source',
        type: {
          type: 'record',
          name: 'Source',
          namespace: 'io.debezium.connector.postgresql',
          fields: [
            { name: 'version', type: 'string' },
            { name: 'ts_ms', type: 'long' },
            { name: 'snapshot', type: [{ type: 'string' }, 'null'], default: 'false' },
            optional('sequence', 'string'),
            { name: 'schema', type: 'string' },
            { name: 'table', type: 'string' },
            optional('txId', 'long'),
            optional('lsn', 'long'),
          ],
        },
      },
      {
        name: 'transaction',
        type: [
          'null',
          { type: 'record', name: 'block', namespace: 'event', fields: [{ name: 'id', type: 'string' }] },
        ],
        default: null,
      },
      { name: 'op', type: 'string' },
      optional('ts_ms', 'long'),
    ],
  };
}

/** Confluent wire format. */
export function frame(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
}

/** The dataset of table public.t with the given columns; the first is the key. */
export function testDataset(
  columns: readonly TestColumn[],
  subject?: { type: string; key: string },
  facts: readonly string[] = [],
): Dataset {
  const source: SourceColumn[] = columns.map((c) => ({
    name: c.name,
    typeName: c.typeName,
    typeKind: c.typeKind ?? 'b',
    typeText: c.typeName,
    nullable: c.nullable,
    generated: false,
  }));
  const table: SourceTable = {
    table: 'public.t',
    columns: source,
    primaryKey: [columns[0]!.name],
    replicaIdentity: 'default',
    relKind: 'r',
  };
  const rules = columns.flatMap((c) => (c.rule ? [[c.name, c.rule] as const] : []));
  return deriveDataset(
    {
      table: 'public.t',
      owner: 'tests',
      tier: 1,
      ...(subject ? { subject } : {}),
      sinks: [],
      staleness: '1s',
      columns: Object.fromEntries(rules),
    },
    table,
    facts,
  );
}
