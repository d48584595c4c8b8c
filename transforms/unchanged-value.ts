import type { ValueKind } from '../schemas/value-kind.ts';
import { AvroReader } from './avro-reader.ts';

/** Is the value at [from, to) Debezium's stand-in for an unchanged TOAST value? It must be told before any action. */
export type IsUnchanged = (buf: Buffer, from: number, to: number) => boolean;

/** Compiles the test for a kind; undefined for kinds that Postgres never stores out of line. */
export function compileIsUnchanged(
  kind: ValueKind,
  element: string | undefined,
  placeholder: string,
): IsUnchanged | undefined {
  const text = Buffer.from(placeholder);
  const reader = new AvroReader();
  const encodedLength = text.length + (text.length < 64 ? 1 : 2);
  switch (kind) {
    case 'text':
    case 'json':
    case 'bytes':
    case 'decimal':
      return (buf, from, to) => {
        // The length decides nearly always, without decoding.
        if (to - from !== encodedLength) return false;
        return reader.reset(buf, from, to).readBytes().equals(text);
      };
    case 'array':
      // Text arrays hold the placeholder as their one element, number arrays its bytes as numbers.
      return element === 'text'
        ? (buf, from, to) => {
            const r = reader.reset(buf, from, to);
            if (openBlock(r) !== 1 || r.readInt() !== 1) return false;
            return r.readBytes().equals(text);
          }
        : (buf, from, to) => {
            const r = reader.reset(buf, from, to);
            if (openBlock(r) !== text.length) return false;
            for (const byte of text) if (r.readInt() !== 1 || r.readInt() !== byte) return false;
            return true;
          };
    default:
      return undefined;
  }
}

function openBlock(r: AvroReader): number {
  const count = r.readInt();
  if (count >= 0) return count;
  r.readInt();
  return -count;
}
