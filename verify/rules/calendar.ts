import { VerifyError } from '../verify-error.ts';

/** Days since 1970-01-01 in the proleptic Gregorian calendar; year 0 is 1 BC. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of {@link daysFromCivil}. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

const dayMicros = 86_400_000_000n;
const datePattern = /^([+-]?\d{4,})-(\d\d)-(\d\d)( BC)?$/;
const timePattern = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/;
const stampPattern = /^([+-]?\d{4,}-\d\d-\d\d)[T ]([\d:.]+)(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?( BC)?$/;

/** An ISO date, as Postgres and the stores print it, in days since 1970-01-01. */
export function parseDateDays(text: string): number {
  const m = datePattern.exec(text);
  if (!m) throw malformed('date');
  const year = Number(m[1]);
  return daysFromCivil(m[4] ? 1 - year : year, Number(m[2]), Number(m[3]));
}

/** A time of day in microseconds; a fraction finer than that is refused unless it is zero. */
export function parseTimeMicros(text: string): bigint {
  const m = timePattern.exec(text);
  if (!m) throw malformed('time');
  const seconds = BigInt(m[1]!) * 3600n + BigInt(m[2]!) * 60n + BigInt(m[3] ?? '0');
  const fraction = (m[4] ?? '').padEnd(9, '0');
  if (!fraction.endsWith('000')) throw malformed('time');
  return seconds * 1_000_000n + BigInt(fraction.slice(0, 6));
}

/** Offset of `Z`, `+02`, `+0200`, `-03:30` or `+00:53:28` in microseconds. */
export function parseOffsetMicros(text: string): bigint {
  if (text === 'Z') return 0n;
  const digits = text.slice(1).replaceAll(':', '').padEnd(6, '0');
  const seconds =
    BigInt(digits.slice(0, 2)) * 3600n + BigInt(digits.slice(2, 4)) * 60n + BigInt(digits.slice(4, 6));
  return (text[0] === '-' ? -seconds : seconds) * 1_000_000n;
}

/**
 * A timestamp in microseconds since 1970-01-01. `zone` says whether it must carry an offset (then the result is the
 * instant) or must not (then it is the wall time).
 */
export function parseStampMicros(text: string, zone: 'with' | 'without'): bigint {
  const m = stampPattern.exec(text);
  if (!m || (zone === 'with') !== (m[3] !== undefined)) throw malformed(`timestamp ${zone} zone`);
  const days = BigInt(parseDateDays(`${m[1]}${m[4] ?? ''}`));
  return days * dayMicros + parseTimeMicros(m[2]!) - (m[3] ? parseOffsetMicros(m[3]) : 0n);
}

/** `YYYY-MM-DDTHH:MM:SS` and so many digits of the fraction (`shortest`: as few as it takes). */
export function formatStamp(micros: bigint, fraction: 'shortest' | number): string {
  let days = micros / dayMicros;
  if (micros % dayMicros < 0n) days -= 1n;
  const { year, month, day } = civilFromDays(Number(days));
  const ofDay = micros - days * dayMicros;
  const two = (n: bigint | number): string => String(n).padStart(2, '0');
  const seconds = ofDay / 1_000_000n;
  const digits = String(ofDay % 1_000_000n).padStart(6, '0');
  const shown = fraction === 'shortest' ? digits.replace(/0+$/, '') : digits.slice(0, fraction);
  return (
    `${formatYear(year)}-${two(month)}-${two(day)}` +
    `T${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${shown ? `.${shown}` : ''}`
  );
}

/** ISO 8601 as java.time writes it: four digits at least, a sign before a fifth and before year zero and earlier. */
function formatYear(year: number): string {
  const digits = String(Math.abs(year)).padStart(4, '0');
  if (year < 0) return `-${digits}`;
  return year > 9999 ? `+${digits}` : digits;
}

function malformed(what: string): VerifyError {
  return new VerifyError('DATA_MALFORMED', `not a ${what}`);
}
