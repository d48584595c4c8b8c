import { ByteWriter } from './byte-writer.ts';
import { unexpected } from './avro-skip.ts';
import type { RawField } from './raw-type.ts';

/** A value as the source reader gives it: text for text, json and numeric, a Buffer for bytea, an array for arrays. */
export type SourceValue = string | Buffer | readonly (string | null)[] | null;

/** Avro-encodes a value read back from the source as the raw field would have held it (without the union's branch). */
export function encodeSourceValue(field: RawField, value: SourceValue): Buffer | null {
  if (value === null) return null;
  const out = new ByteWriter(256);
  if (field.avro === 'string' && typeof value === 'string') out.text(value);
  else if (field.avro === 'bytes' && Buffer.isBuffer(value)) out.bytes(value);
  else if (field.avro === 'array' && Array.isArray(value))
    encodeArray(field, value as (string | null)[], out);
  else throw unexpected('a value read back from the source has another type');
  return out.take();
}

function encodeArray(field: RawField, values: readonly (string | null)[], out: ByteWriter): void {
  const branches = Array.isArray(field.item) ? (field.item as string[]) : undefined;
  const nullBranch = branches?.indexOf('null');
  const itemType = branches ? branches.find((b) => b !== 'null') : field.item;
  if (values.length > 0) out.length(values.length);
  for (const value of values) {
    if (nullBranch !== undefined) out.byte(2 * (value === null ? nullBranch : 1 - nullBranch));
    if (value === null) {
      if (nullBranch === undefined) throw unexpected('an array read back from the source holds null');
      // The driver gives an array in an array for each further dimension, whatever the type says.
    } else if (typeof value !== 'string') {
      throw unexpected('an array read back from the source has several dimensions');
    } else if (itemType === 'string') out.text(value);
    // BigInt's own error would quote the text, and be nobody's outcome.
    else if (!/^-?\d{1,19}$/.test(value))
      throw unexpected('an array read back from the source holds no integers');
    else out.zigzag(BigInt(value));
  }
  out.byte(0);
}
