import type { RawRecord } from '../../pipeline/transform.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { AvroSchema } from '../../schemas/clean-schema.ts';
import { avroType } from '../../schemas/registry.ts';
import type { CatalogColumn } from '../postgres/catalog.ts';
import { rawKeySchema, readEnvelopeSchema } from './raw-schema.ts';
import type { SourceRow } from './source-rows.ts';
import { rawValue } from './source-value.ts';

const envelopeId = 1;
const keyId = 2;

/** Encodes rows as Debezium encodes the reads of a snapshot, under schemas that no registry has. */
export class RawRows {
  private readonly columns: readonly CatalogColumn[];
  private readonly keyNames: readonly string[];
  private readonly schemas: ReadonlyMap<number, AvroSchema>;

  /** `columns` in the order in which rows have them, `keyNames` among them. */
  constructor(columns: readonly CatalogColumn[], keyNames: readonly string[]) {
    this.columns = columns;
    this.keyNames = keyNames;
    const key = keyNames.map((name) => columns.find((column) => column.name === name)!);
    this.schemas = new Map([
      [envelopeId, readEnvelopeSchema(columns)],
      [keyId, rawKeySchema(key)],
    ]);
  }

  /** The writer schema with this id, as a registry would give it. */
  writerSchema(id: number): AvroSchema {
    const schema = this.schemas.get(id);
    if (!schema) throw new LetheError('SCHEMA_UNKNOWN', `there is no schema ${id}`);
    return schema;
  }

  /** The raw record of a row; VALUE_UNREPRESENTABLE for a value that the connector does not take. */
  encoder(): (row: SourceRow) => RawRecord {
    const envelope = avroType(this.writerSchema(envelopeId));
    const key = avroType(this.writerSchema(keyId));
    let offset = 0;
    return (row) => {
      const values = new Map(
        this.columns.map((column, i) => [column.name, rawValue(column, row[i] ?? null)]),
      );
      const read = {
        before: null,
        after: Object.fromEntries(values),
        source: { ts_ms: 0n, snapshot: 'true' },
        op: 'r',
      };
      return {
        offset: String(offset++),
        key: frame(keyId, key.toBuffer(Object.fromEntries(this.keyNames.map((n) => [n, values.get(n)])))),
        value: frame(envelopeId, envelope.toBuffer(read)),
      };
    };
  }
}

/** Confluent's wire format. */
function frame(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
}
