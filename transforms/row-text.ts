import type { ValueKind } from '../schemas/value-kind.ts';
import { AvroReader } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { fits, isNull, type RawField } from './raw-type.ts';
import { compileIsUnchanged, type IsUnchanged } from './unchanged-value.ts';

/** Fields of the raw row by column. */
export type RawFields = ReadonlyMap<string, { readonly index: number; readonly type: RawField | undefined }>;

/** Values that stand for those in the raw row, by column, Avro-encoded; null for SQL null. */
export type Resolved = ReadonlyMap<string, Buffer | null>;

/** Reads one column's canonical text from raw rows, whatever becomes of the column in the clean record. */
export class RowText {
  readonly column: string;
  private readonly field: number;
  private readonly raw: RawField;
  private readonly text: (reader: AvroReader) => string;
  private readonly isUnchanged: IsUnchanged | undefined;
  private readonly reader = new AvroReader();

  /** SCHEMA_UNEXPECTED for a column that the events lack or have under another type: nobody knows then what the row is. */
  constructor(column: string, kind: ValueKind, fields: RawFields, placeholder: string) {
    const field = fields.get(column);
    const text = compileCanonicalText(kind);
    if (!field?.type || !text || !fits(field.type, kind)) {
      throw unexpected(`column ${column}, which the contract reads, is missing in the change events`);
    }
    this.column = column;
    this.field = field.index;
    this.raw = field.type;
    this.text = text;
    this.isUnchanged = compileIsUnchanged(kind, undefined, placeholder);
  }

  /** The value's canonical text, null for SQL null, undefined for an unchanged value that the event does not hold. */
  read(buf: Buffer, offsets: Int32Array, base: number, resolved?: Resolved): string | null | undefined {
    const value = resolved?.get(this.column);
    if (value === null) return null;
    if (value) return this.text(this.reader.reset(value));
    let from = offsets[base + this.field]!;
    const to = offsets[base + this.field + 1]!;
    if (this.raw.nullBranch !== undefined) {
      if (isNull(buf, from, this.raw)) return null;
      from++;
    }
    if (this.isUnchanged?.(buf, from, to)) return undefined;
    return this.text(this.reader.reset(buf, from, to));
  }
}
