import { AvroReader, malformed } from './avro-reader.ts';
import {
  NamedTypes,
  unexpected,
  type WriterField,
  type WriterObject,
  type WriterSchema,
} from './avro-skip.ts';
import { ChangeHead } from './change-head.ts';
import { FieldWalk } from './field-walk.ts';
import type { Offsets } from './offsets.ts';

/** A field that is read: where its offset stands, and the byte before a value that is not null; -1 if there is none. */
interface HeadField {
  readonly at: number;
  readonly valueByte: number;
}

/**
 * Compiled from a writer schema of Debezium's change event envelope
 * (https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-change-events-value):
 * reads op and source, finds the fields of `after`, and skips the rest, `before` above all: with the default replica identity it
 * holds invented values, with FULL it holds old personal data.
 */
export class EnvelopePlan {
  /** Writer schema of the row. */
  readonly row: WriterObject;
  readonly names: NamedTypes;
  private readonly rowWalk: FieldWalk;
  private readonly nullByte: number;
  /** The envelope's fields before `after` and those behind it, the source's own in the place of `source`. */
  private readonly before: FieldWalk;
  private readonly behind: FieldWalk;
  private readonly offsets: Int32Array;
  private readonly reader = new AvroReader();
  private readonly op: HeadField | undefined;
  private readonly sequence: HeadField | undefined;
  private readonly lsn: HeadField | undefined;
  private readonly txId: HeadField | undefined;
  private readonly commitMs: HeadField | undefined;

  constructor(schema: WriterSchema) {
    this.names = new NamedTypes(schema);
    const fields = record(this.names.resolve(schema), 'the change event').fields ?? [];
    const afterAt = fields.findIndex((f) => f.name === 'after');
    if (afterAt < 0) throw unexpected('the change event has no field after');
    const type = this.names.resolve(fields[afterAt]!.type);
    this.row = record(nonNull(type, this.names), 'after');
    if (!Array.isArray(type) || type.length !== 2) throw unexpected('after is not nullable');
    this.nullByte = 2 * type.indexOf('null');
    this.rowWalk = new FieldWalk(this.row.fields ?? [], this.names);
    const before = this.flat(fields.slice(0, afterAt));
    const behind = this.flat(fields.slice(afterAt + 1));
    this.before = new FieldWalk(before, this.names);
    this.behind = new FieldWalk(behind, this.names);
    this.offsets = new Int32Array(before.length + behind.length + 2);
    const places = new Map<string, HeadField>();
    for (const [i, field] of [...before, undefined, ...behind].entries()) {
      if (!field) continue;
      const type = this.names.resolve(field.type);
      const valueByte = Array.isArray(type) ? 2 - 2 * type.indexOf('null') : -1;
      places.set(field.name, { at: i, valueByte });
    }
    this.op = places.get('op');
    this.sequence = places.get('source.sequence');
    this.lsn = places.get('source.lsn');
    this.txId = places.get('source.txId');
    this.commitMs = places.get('source.ts_ms');
  }

  /** Reads the framed envelope: where its row stands, and what comes beside it. */
  read(buf: Buffer, head: ChangeHead, room: Offsets): void {
    head.row = this.findRow(buf, room);
    this.readHead(buf, head);
  }

  /**
   * Finds the fields of the row after the change in the framed envelope, which must fill the buffer to its end; takes room for their
   * offsets. Where they begin; -1 if there is no row.
   */
  findRow(buf: Buffer, room: Offsets): number {
    const { offsets } = this;
    let pos = this.before.run(buf, 5, offsets, 0);
    const branch = buf[pos++];
    let row = -1;
    if (branch !== this.nullByte) {
      if (branch !== 2 - this.nullByte) throw malformed();
      row = room.take(this.rowWalk.count + 1);
      pos = this.rowWalk.run(buf, pos, room.at, row);
    }
    pos = this.behind.run(buf, pos, offsets, this.before.count + 1);
    if (pos !== buf.length) throw malformed();
    return row;
  }

  /** Of the envelope that was looked at last. */
  private readHead(buf: Buffer, head: ChangeHead): void {
    const op = this.op ? this.valueAt(buf, this.op) : -1;
    head.setOp(op < 0 ? 0 : buf[op] === 2 ? buf[op + 1]! : 0);
    const sequence = this.sequence ? this.valueAt(buf, this.sequence) : -1;
    if (sequence < 0) head.hasCommit = false;
    else head.readSequence(this.reader.reset(buf, sequence));
    const lsn = this.lsn ? this.valueAt(buf, this.lsn) : -1;
    head.hasLsn = lsn >= 0;
    if (lsn >= 0) this.reader.reset(buf, lsn).readWords(head.lsn, 0);
    const txId = this.txId ? this.valueAt(buf, this.txId) : -1;
    head.hasTxId = txId >= 0;
    if (txId >= 0) this.reader.reset(buf, txId).readWords(head.txId, 0);
    const commitMs = this.commitMs ? this.valueAt(buf, this.commitMs) : -1;
    head.commitMs = commitMs < 0 ? 0 : this.reader.reset(buf, commitMs).readInt();
  }

  /** Where the value of a field starts; -1 if it is null. */
  private valueAt(buf: Buffer, field: HeadField): number {
    const at = this.offsets[field.at]!;
    if (field.valueByte < 0) return at;
    return buf[at] === field.valueByte ? at + 1 : -1;
  }

  private flat(fields: readonly WriterField[]): WriterField[] {
    return fields.flatMap((field) => {
      if (field.name !== 'source') return [field];
      const source = record(this.names.resolve(field.type), 'source');
      return (source.fields ?? []).map((f) => ({ name: `source.${f.name}`, type: f.type }));
    });
  }
}

function nonNull(type: WriterSchema, names: NamedTypes): WriterSchema {
  if (!Array.isArray(type)) return type;
  const branch = type.find((t) => t !== 'null');
  if (branch === undefined) throw unexpected('after has no type');
  return names.resolve(branch);
}

function record(schema: WriterSchema, what: string): WriterObject {
  if (typeof schema === 'string' || Array.isArray(schema) || schema.type !== 'record') {
    throw unexpected(`${what} is not a record`);
  }
  return schema;
}
