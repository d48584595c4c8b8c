/**
 * Forms in which Debezium writes what Postgres prints otherwise. The texts that come in are those of a session with time
 * zone UTC, ISO dates and ISO 8601 intervals.
 */

const stamp = /^(\d{4,})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00( BC)?$/;

/** An instant as ISO 8601 in UTC, with as many digits of the fraction as the column is declared with. */
export function debeziumTimestamptz(text: string, fractionDigits: number): string {
  const parts = stamp.exec(text);
  // What is no instant is an infinity, which has no other form.
  if (!parts) return text;
  const [, year, monthAndDay, time, fraction = '', before] = parts;
  const digits = fraction.padEnd(fractionDigits, '0').slice(0, fractionDigits);
  const shown = isoYear(before === undefined ? Number(year) : 1 - Number(year));
  return `${shown}-${monthAndDay}T${time}${digits === '' ? '' : `.${digits}`}Z`;
}

/** Years as java.time writes them: four digits at least, a sign before a fifth and before the year 0. */
function isoYear(year: number): string {
  const digits = String(Math.abs(year)).padStart(4, '0');
  if (year < 0) return `-${digits}`;
  return year > 9999 ? `+${digits}` : digits;
}

/** The moment of the day in UTC, with a fraction as short as it can be. */
export function debeziumTimetz(text: string): string {
  return text.replace(/\+00$/, 'Z');
}

const intervalPart = /(-?\d+(?:\.\d+)?)([YMWDHS])/g;

/** All six parts of an interval, zero or not. */
export function debeziumInterval(text: string): string {
  if (!text.startsWith('P')) return text;
  const [date = '', time = ''] = text.slice(1).split('T');
  const days = partsOf(date);
  const hours = partsOf(time);
  const seconds = (hours.get('S') ?? '0').replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  return (
    `P${days.get('Y') ?? 0}Y${days.get('M') ?? 0}M${days.get('D') ?? 0}D` +
    `T${hours.get('H') ?? 0}H${hours.get('M') ?? 0}M${seconds}S`
  );
}

function partsOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(intervalPart)].map((part) => [part[2]!, part[1]!]));
}

const specialDecimals: ReadonlyMap<string, string> = new Map([
  ['NaN', 'NAN'],
  ['Infinity', 'POSITIVE_INFINITY'],
  ['-Infinity', 'NEGATIVE_INFINITY'],
]);

/** Numeric as it is printed; its special values have names of Debezium's own (SpecialValueDecimal). */
export function debeziumDecimal(text: string): string {
  return specialDecimals.get(text) ?? text;
}
