import { canonicalJson, JsonNumber, parseJson } from '../json.ts';
import { VerifyError } from '../verify-error.ts';
import { parseStampMicros } from './calendar.ts';
import type { Kind } from './kind.ts';
import { normalArray, normalFloat } from './normal-form.ts';
import { isInfinity, normalStamp } from './source-text.ts';

/** The Avro type that a value of the kind has in clean records and under encryption. */
export function avroTypeOf(kind: Kind): unknown {
  switch (kind) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'bytes':
      return kind;
    case 'date':
      return 'int';
    case 'time':
    case 'timestamp':
      return 'long';
    case 'text[]':
      return { type: 'array', items: ['null', 'string'] };
    case 'int[]':
      return { type: 'array', items: ['null', 'int'] };
    case 'long[]':
      return { type: 'array', items: ['null', 'long'] };
    default:
      return 'string';
  }
}

/** Normal form of a decoded Avro value (long as bigint, bytes as Buffer); throws where it has another type. */
export function normalFromAvro(kind: Kind, value: unknown): string {
  switch (kind) {
    case 'boolean':
      return String(expect(value, 'boolean'));
    case 'int':
    case 'date':
      return String(expect(value, 'number'));
    case 'long':
    case 'time':
      return String(expect(value, 'bigint'));
    case 'timestamp':
      return normalStamp(expect(value, 'bigint') as bigint);
    case 'float':
    case 'double':
      return normalFloat(kind, expect(value, 'number') as number);
    case 'decimal':
    case 'text':
    case 'interval':
    case 'timetz':
    case 'uuid':
      return expect(value, 'string') as string;
    case 'timestamptz': {
      const text = expect(value, 'string') as string;
      return isInfinity(text) ? text : String(parseStampMicros(text, 'with'));
    }
    case 'json':
      return canonicalJson(parseJson(expect(value, 'string') as string));
    case 'bytes':
      return bytesOf(value).toString('hex');
    case 'text[]':
    case 'int[]':
    case 'long[]':
      if (!Array.isArray(value)) throw new VerifyError('DATA_MALFORMED', 'not an array');
      return normalArray(
        kind,
        value.map((item: unknown) => {
          if (item === null || typeof item === 'string') return item;
          if (typeof item === 'number' || typeof item === 'bigint') return new JsonNumber(String(item));
          throw new VerifyError('DATA_MALFORMED', `not an element of ${kind}`);
        }),
      );
  }
}

export function bytesOf(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw new VerifyError('DATA_MALFORMED', 'not bytes');
  return value;
}

function expect(value: unknown, type: 'boolean' | 'number' | 'bigint' | 'string'): unknown {
  if (typeof value !== type) throw new VerifyError('DATA_MALFORMED', `not a ${type}`);
  return value;
}
