import { AvroReader } from './avro-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** Debezium writes numeric's special values in words of its own (SpecialValueDecimal); consumers get Postgres' text. */
const postgresText: ReadonlyMap<string, string> = new Map([
  ['NAN', 'NaN'],
  ['POSITIVE_INFINITY', 'Infinity'],
  ['NEGATIVE_INFINITY', '-Infinity'],
]);

/** The text Postgres prints for what Debezium wrote. */
export function decimalText(raw: string): string {
  return postgresText.get(raw) ?? raw;
}

const reader = new AvroReader();
const firstLetter = 0x41;

/** The Avro string in Postgres' text where the value at [from, to) is a special one; undefined for every number. */
export function correctedDecimal(buf: Buffer, from: number, to: number): Buffer | undefined {
  // Numbers start with a digit or a minus sign; the shortest special value has three letters and a length byte.
  if (to - from < 4 || buf[from + 1]! < firstLetter) return undefined;
  const raw = reader.reset(buf, from, to).readBytes().toString('latin1');
  const text = decimalText(raw);
  if (text === raw) return undefined;
  const out = new ByteWriter(32);
  out.text(text);
  return out.take();
}
