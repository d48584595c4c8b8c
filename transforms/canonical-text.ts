import { isoDate } from '../schemas/iso-date.ts';
import type { ValueKind } from '../schemas/value-kind.ts';
import { type AvroReader, malformed } from './avro-reader.ts';
import { decimalText } from './special-decimal.ts';

/**
 * The canonical text of a value, the same for keys, pseudonyms, subjects and conditions: text, decimal and uuid as they are, integers
 * in decimal, dates in ISO 8601, timestamps with zone as Debezium writes them.
 * Returns undefined for kinds without one (the contract's checks refuse them).
 */
export function compileCanonicalText(kind: ValueKind): ((reader: AvroReader) => string) | undefined {
  switch (kind) {
    case 'text':
    case 'uuid':
    case 'inet':
    case 'timestamptz':
      return readText;
    case 'decimal':
      return (r) => decimalText(readText(r));
    case 'boolean':
      return readBoolean;
    case 'int':
      return (r) => String(r.readInt());
    case 'long':
      return (r) => r.readLongText();
    case 'date':
      return (r) => isoDate(r.readInt());
    default:
      return undefined;
  }
}

function readBoolean(r: AvroReader): string {
  const byte = r.buf[r.pos];
  r.skip(1);
  if (byte !== 0 && byte !== 1) throw malformed();
  return byte === 1 ? 'true' : 'false';
}

function readText(r: AvroReader): string {
  const length = r.readInt();
  const start = r.pos;
  r.skip(length);
  return r.buf.toString('utf8', start, r.pos);
}
