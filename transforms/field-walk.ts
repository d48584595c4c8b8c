import { AvroReader, malformed } from './avro-reader.ts';
import { compileSkip, type NamedTypes, type Skip, type WriterField, type WriterSchema } from './avro-skip.ts';

/** What a field's value is where it is no fixed number of bytes. */
const varint = -1;
const lengthAndBytes = -2;
const otherwise = -3;

/**
 * Finds the fields of a record without decoding them: one loop over a table of what each field is, so that an event costs no
 * call per field. Plain types and nullable ones are in the table; what is built of others is skipped by a function.
 */
export class FieldWalk {
  readonly count: number;
  /** Bytes of a value, or one of the names above. */
  private readonly sizes: Int8Array;
  /** The byte that says null; -1 where the field is not nullable. */
  private readonly nulls: Int8Array;
  private readonly skips: readonly Skip[];
  private readonly reader = new AvroReader();

  constructor(fields: readonly WriterField[], names: NamedTypes) {
    this.count = fields.length;
    const kinds = fields.map((field) => kindOf(field.type, names));
    this.sizes = Int8Array.from(kinds, (k) => k.size);
    this.nulls = Int8Array.from(kinds, (k) => k.nullByte);
    this.skips = kinds.map((k) => compileSkip(k.value, names));
  }

  /** Sets offsets[base + i] to where field i starts, one more to the end, for a record that starts at `pos`; returns the end. */
  run(buf: Buffer, pos: number, offsets: Int32Array, base: number): number {
    const { sizes, nulls, count } = this;
    const end = buf.length;
    for (let i = 0; i < count; i++) {
      offsets[base + i] = pos;
      const nullByte = nulls[i]!;
      if (nullByte >= 0) {
        if (pos >= end) throw malformed();
        const branch = buf[pos++]!;
        if (branch === nullByte) continue;
        if (branch !== 2 - nullByte) throw malformed();
      }
      const size = sizes[i]!;
      if (size >= 0) pos += size;
      else if (size === varint) {
        let most = pos + 10;
        if (most > end) most = end;
        do if (pos >= most) throw malformed();
        while (buf[pos++]! > 0x7f);
      } else if (size === lengthAndBytes && pos < end && buf[pos]! <= 0x7f) {
        const zigzag = buf[pos]!;
        if ((zigzag & 1) !== 0) throw malformed();
        pos += 1 + (zigzag >> 1);
      } else pos = this.skip(i, buf, pos);
      if (pos > end) throw malformed();
    }
    offsets[base + count] = pos;
    return pos;
  }

  private skip(field: number, buf: Buffer, pos: number): number {
    const reader = this.reader.reset(buf, pos);
    this.skips[field]!(reader);
    return reader.pos;
  }
}

interface FieldKind {
  readonly value: WriterSchema;
  readonly size: number;
  readonly nullByte: number;
}

function kindOf(schema: WriterSchema, names: NamedTypes): FieldKind {
  const type = names.resolve(schema);
  if (Array.isArray(type) && type.length === 2 && type.includes('null')) {
    const nullAt = type.indexOf('null');
    const value = type[1 - nullAt]!;
    // In zigzag the branches are the bytes 0 and 2.
    return { value, size: sizeOf(value, names), nullByte: 2 * nullAt };
  }
  return { value: type, size: sizeOf(type, names), nullByte: -1 };
}

function sizeOf(schema: WriterSchema, names: NamedTypes): number {
  const type = names.resolve(schema);
  if (Array.isArray(type)) return otherwise;
  switch (typeof type === 'string' ? type : type.type) {
    case 'null':
      return 0;
    case 'boolean':
      return 1;
    case 'float':
      return 4;
    case 'double':
      return 8;
    case 'int':
    case 'long':
      return varint;
    case 'string':
    case 'bytes':
      return lengthAndBytes;
    default:
      return otherwise;
  }
}
