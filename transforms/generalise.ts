import { bandWidth, type Period } from '../schemas/generalise.ts';
import type { ValueKind } from '../schemas/value-kind.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import type { ColumnAction } from './column-action.ts';
import { decimalText } from './special-decimal.ts';

const dayMs = 86_400_000;
const dayMicros = 86_400_000_000n;
const int64Min = -(2n ** 63n);
const int32Min = -(2 ** 31);

/**
 * Compiles the coarse form of a kind: the first moment of the period, in the calendar that Postgres uses (proleptic
 * Gregorian; with a zone in UTC), or the multiple of the band's width that is next towards zero, so that no band passes the
 * bounds of the type. Type and number of decimals stay as they are.
 */
export function compileGeneralise(kind: ValueKind, to: Period | number): ColumnAction {
  const reader = new AvroReader();
  if (typeof to === 'string') {
    switch (kind) {
      case 'date':
        return (buf, from, _to, out) =>
          out.zigzag(BigInt(Math.max(startOfPeriod(reader.reset(buf, from).readInt(), to), int32Min)));
      case 'timestamp':
        return (buf, from, _to, out) => {
          const micros = reader.reset(buf, from).readLong();
          const days = (micros - (((micros % dayMicros) + dayMicros) % dayMicros)) / dayMicros;
          const start = BigInt(startOfPeriod(Number(days), to)) * dayMicros;
          out.zigzag(start < int64Min ? int64Min : start);
        };
      case 'timestamptz':
        return (buf, from, end, out) => out.text(coarseInstant(text(reader.reset(buf, from, end)), to));
      default:
        throw unexpected(`a ${kind} has no period`);
    }
  }
  const width = bandWidth(to);
  switch (kind) {
    case 'int':
    case 'long':
      return (buf, from, _to, out) => {
        const value = reader.reset(buf, from).readLong();
        out.zigzag((value / width.units) * width.units);
      };
    case 'decimal':
      return (buf, from, end, out) => {
        const value = decimalText(text(reader.reset(buf, from, end)));
        out.text(special.has(value) ? value : lowerDecimal(value, width));
      };
    case 'double':
      return (buf, from, _to, out) => {
        const value = buf.readDoubleLE(from);
        out.reserve(8);
        const coarse = Number.isFinite(value) ? Number(lowerDecimal(plain(value), width)) : value;
        out.pos = out.buf.writeDoubleLE(coarse, out.pos);
      };
    default:
      throw unexpected(`a ${kind} has no bands`);
  }
}

/** Written out, a number of any larger exponent would be nothing but zeros, and millions of them. */
const largestExponent = 400;

/**
 * A JSON number down to the multiple of `to` that is next towards zero, with its own number of decimals at least; undefined
 * for one of an exponent beyond any measure.
 */
export function bandedText(number: string, to: number): string | undefined {
  const exponent = /[eE](.*)$/.exec(number)?.[1];
  if (exponent !== undefined && Math.abs(Number(exponent)) > largestExponent) return undefined;
  return lowerDecimal(plainDecimal(number), bandWidth(to));
}

/** The first day of the period of an ISO date or instant in a text, as `YYYY-MM-DD`; undefined for any other text. */
export function coarseDate(text: string, to: Period): string | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:$|[T ])/.exec(text);
  if (!parts) return undefined;
  const [, year, month, day] = parts;
  return `${year}-${to === 'year' ? '01' : month}-${to === 'day' ? day : '01'}`;
}

const special: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);

function text(reader: AvroReader): string {
  return reader.readBytes().toString('utf8');
}

/** Days since 1970-01-01 of the first day of the year or month. Beyond what Date can hold by way of 400 years, which repeat. */
function startOfPeriod(days: number, to: Period): number {
  if (to === 'day') return days;
  const daysOf400Years = 146_097;
  const eras = Math.floor(days / daysOf400Years);
  const date = new Date((days - eras * daysOf400Years) * dayMs);
  const start = Date.UTC(date.getUTCFullYear(), to === 'year' ? 0 : date.getUTCMonth(), 1);
  return start / dayMs + eras * daysOf400Years;
}

const instant = /^([+-]?\d{4,})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Debezium's ISO text of an instant, its digits below the period at their first value. */
function coarseInstant(value: string, to: Period): string {
  const parts = instant.exec(value);
  // What is no instant is an infinity, or a form that is not known: that does not pass.
  if (!parts) {
    if (value === 'infinity' || value === '-infinity') return value;
    throw malformed();
  }
  const [, year, month, day, fraction = ''] = parts;
  const date = to === 'year' ? `${year}-01-01` : `${year}-${month}-${to === 'month' ? '01' : day}`;
  return `${date}T00:00:00${fraction.replaceAll(/\d/g, '0')}Z`;
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;

/** A decimal text down to a multiple of the width, towards zero, with the text's own number of decimals at least. */
function lowerDecimal(value: string, width: { readonly units: bigint; readonly scale: number }): string {
  const parts = decimal.exec(value);
  if (!parts) throw malformed();
  const [, sign, whole, fraction = ''] = parts;
  const scale = Math.max(fraction.length, width.scale);
  const units = BigInt(whole + fraction.padEnd(scale, '0'));
  const step = width.units * 10n ** BigInt(scale - width.scale);
  const digits = ((units / step) * step).toString().padStart(scale + 1, '0');
  const result = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return /[1-9]/.test(result) ? sign + result : result;
}

/** The shortest decimal text that is this double, without an exponent. */
function plain(value: number): string {
  return plainDecimal(String(value));
}

/** A decimal text without its exponent. */
function plainDecimal(text: string): string {
  const [mantissa, exponent] = text.toLowerCase().split('e');
  if (exponent === undefined) return mantissa!;
  const [, sign, whole, fraction = ''] = decimal.exec(mantissa!)!;
  const point = whole!.length + Number(exponent);
  const digits = whole! + fraction;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.slice(0, point).padEnd(point, '0')}.${digits.slice(point) || '0'}`;
}
