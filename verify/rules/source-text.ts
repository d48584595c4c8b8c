import { VerifyError } from '../verify-error.ts';
import { formatStamp, parseOffsetMicros, parseStampMicros, parseTimeMicros } from './calendar.ts';
import type { Kind } from './kind.ts';

/**
 * The canonical text of a value: what pseudonyms are made over, what stands in keys and names subjects. `text` is what
 * Postgres prints with time zone UTC, ISO dates and ISO 8601 intervals. Kinds without a canonical text are refused by
 * contracts, so to meet one here is a gap of the proof and stops it. `fractionDigits` matters for timestamptz alone.
 */
export function canonicalText(kind: Kind, text: string, fractionDigits = 6): string {
  switch (kind) {
    case 'text':
    case 'int':
    case 'long':
    case 'decimal':
    case 'date':
      return text;
    case 'uuid':
      return text.toLowerCase();
    case 'interval':
      return debeziumInterval(text);
    case 'timetz':
      return debeziumTimetz(text);
    case 'timestamptz':
      return debeziumTimestamptz(text, fractionDigits);
    default:
      throw new VerifyError('NOT_COVERED', `no canonical text for a ${kind}`);
  }
}

/** Debezium's ISO text of an instant: UTC, with as many digits of the fraction as the column is declared with. */
export function debeziumTimestamptz(text: string, fractionDigits: number): string {
  if (isInfinity(text)) return text;
  return `${formatStamp(parseStampMicros(text, 'with'), fractionDigits)}Z`;
}

const intervalPart = /(-?\d+(?:\.\d+)?)([YMWDHS])/g;

/** Debezium's interval: all six parts, zero or not. */
export function debeziumInterval(text: string): string {
  if (isInfinity(text)) return text;
  const [date = '', time = ''] = text.slice(1).split('T');
  if (!text.startsWith('P')) throw new VerifyError('DATA_MALFORMED', 'not an ISO 8601 interval');
  const days = parts(date);
  const hours = parts(time);
  return (
    `P${days.get('Y') ?? 0}Y${days.get('M') ?? 0}M${days.get('D') ?? 0}D` +
    `T${hours.get('H') ?? 0}H${hours.get('M') ?? 0}M${withoutTrailingZeros(hours.get('S') ?? '0')}S`
  );
}

function parts(text: string): Map<string, string> {
  return new Map([...text.matchAll(intervalPart)].map((m) => [m[2]!, m[1]!]));
}

function withoutTrailingZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const timetz = /^([\d:.]+)(Z|[+-][\d:]+)$/;

/** Debezium's time with zone: the same moment of the day in UTC, fraction as short as it can be. */
export function debeziumTimetz(text: string): string {
  const m = timetz.exec(text);
  if (!m) throw new VerifyError('DATA_MALFORMED', 'not a time with time zone');
  const offset = parseOffsetMicros(m[2]!);
  const local = parseTimeMicros(m[1]!);
  const dayMicros = 86_400_000_000n;
  if (local === dayMicros && offset === 0n) return '24:00:00Z';
  const micros = (((local - offset) % dayMicros) + dayMicros) % dayMicros;
  return `${formatStamp(micros, 'shortest').slice('1970-01-01T'.length)}Z`;
}

export function isInfinity(text: string): boolean {
  return text === 'infinity' || text === '-infinity';
}

/** The numbers that Debezium writes for infinity in a timestamp of microseconds. */
const infinities: ReadonlyMap<bigint, string> = new Map([
  [9_223_372_036_854_775_807n, 'infinity'],
  [-9_223_372_036_854_775_808n, '-infinity'],
]);

/** Normal form of a timestamp's microseconds, wherever they were read. */
export function normalStamp(micros: bigint): string {
  return infinities.get(micros) ?? String(micros);
}
