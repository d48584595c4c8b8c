import type { ValueKind } from '../schemas/value-kind.ts';
import { malformed } from './avro-reader.ts';
import type { NamedTypes, WriterSchema } from './avro-skip.ts';

/** How a field of the raw record is written: its type, and which branch is null where it is a union. */
export interface RawField {
  readonly avro: string;
  readonly item?: WriterSchema;
  /** Undefined where the field is not a union. */
  readonly nullBranch?: 0 | 1;
}

/** The shape of a field, or undefined if it is no (nullable) value of a single type. */
export function rawField(schema: WriterSchema, names: NamedTypes): RawField | undefined {
  const resolved = names.resolve(schema);
  if (!Array.isArray(resolved)) return plain(resolved, names);
  if (resolved.length !== 2) return undefined;
  const types = resolved.map((branch) => plain(names.resolve(branch), names));
  const nullBranch = types.findIndex((t) => t?.avro === 'null');
  const value = types[nullBranch === 0 ? 1 : 0];
  if (nullBranch < 0 || !value) return undefined;
  return { ...value, nullBranch: nullBranch as 0 | 1 };
}

function plain(schema: WriterSchema, names: NamedTypes): RawField | undefined {
  if (typeof schema === 'string') return { avro: schema };
  if (Array.isArray(schema)) return undefined;
  if (typeof schema.type !== 'string') return plain(names.resolve(schema.type), names);
  return schema.items === undefined ? { avro: schema.type } : { avro: schema.type, item: schema.items };
}

const avroOfKind: Readonly<Record<ValueKind, readonly string[]>> = {
  boolean: ['boolean'],
  int: ['int'],
  long: ['long'],
  float: ['float'],
  double: ['double'],
  decimal: ['string'],
  text: ['string'],
  uuid: ['string'],
  inet: ['string'],
  date: ['int'],
  time: ['long'],
  timestamp: ['long'],
  timestamptz: ['string'],
  json: ['string'],
  bytes: ['bytes'],
  array: ['array'],
  // In no event.
  composite: [],
  list: [],
};

/** Whether the raw field is what Debezium sends for the kind: if not, the source's type is no longer the contract's. */
export function fits(field: RawField, kind: ValueKind): boolean {
  return avroOfKind[kind].includes(field.avro);
}

/** Reads the branch of a union of null and one type; both branches fit one byte (0 and 2 in zigzag). */
export function isNull(buf: Buffer, at: number, raw: RawField): boolean {
  const branch = buf[at];
  if (branch !== 0 && branch !== 2) throw malformed();
  return branch / 2 === raw.nullBranch;
}
