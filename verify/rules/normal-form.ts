import { canonicalJson, JsonNumber, type Json, parseJson } from '../json.ts';
import { VerifyError } from '../verify-error.ts';
import { parseDateDays, parseStampMicros, parseTimeMicros } from './calendar.ts';
import type { Kind } from './kind.ts';
import { debeziumInterval, debeziumTimetz, isInfinity } from './source-text.ts';

/**
 * The normal form of a value: one text for the same value, wherever it was read. All comparison is between normal
 * forms; each place has a function that makes them, here is the one for what Postgres prints.
 */
export function normalFromSource(kind: Kind, text: string): string {
  switch (kind) {
    case 'boolean':
      return text === 't' || text === 'true' ? 'true' : 'false';
    case 'int':
    case 'long':
    case 'decimal':
    case 'text':
      return text;
    case 'uuid':
      return text.toLowerCase();
    case 'interval':
      return debeziumInterval(text);
    case 'timetz':
      return debeziumTimetz(text);
    case 'float':
    case 'double':
      return normalFloat(kind, Number(text));
    case 'date':
      return isInfinity(text) ? text : String(parseDateDays(text));
    case 'time':
      return String(parseTimeMicros(text));
    case 'timestamp':
      return isInfinity(text) ? text : String(parseStampMicros(text, 'without'));
    case 'timestamptz':
      return isInfinity(text) ? text : String(parseStampMicros(text, 'with'));
    case 'json':
      return canonicalJson(parseJson(text));
    case 'bytes':
      if (!text.startsWith('\\x')) throw new VerifyError('DATA_MALFORMED', 'bytea is not printed in hex');
      return text.slice(2);
    case 'text[]':
    case 'int[]':
    case 'long[]':
      return normalArray(kind, parseJson(text));
  }
}

/** Floats by value, a float4 as the nearest of its own; the sign of zero does not survive JSON. */
export function normalFloat(kind: 'float' | 'double', value: number): string {
  const exact = kind === 'float' ? Math.fround(value) : value;
  return String(exact === 0 ? 0 : exact);
}

/** An array from its JSON: elements are strings, or whole numbers as written, or null. */
export function normalArray(kind: Kind, value: Json): string {
  if (!Array.isArray(value)) throw new VerifyError('DATA_MALFORMED', 'not an array');
  const items = value.map((item) => {
    if (item === null) return 'null';
    if (kind === 'text[]' && typeof item === 'string') return JSON.stringify(item);
    if (kind !== 'text[]' && item instanceof JsonNumber && /^-?\d+$/.test(item.text)) return item.text;
    throw new VerifyError('DATA_MALFORMED', `not an element of ${kind}`);
  });
  return `[${items.join(',')}]`;
}
