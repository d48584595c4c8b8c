/**
 * Days and microseconds since 1970-01-01 to ISO 8601 text and back, in the proleptic Gregorian calendar, without
 * Date (which has milliseconds only and ends at the year 275760). A year outside 0000..9999 is written with a sign
 * and at least six digits; 0000 is 1 BC.
 */
const microsPerDay = 86_400_000_000;

/** `YYYY-MM-DD` of a day number. */
export function isoDate(days: number): string {
  // Howard Hinnant's days_from_civil, inverted: eras of 400 years that start on 1 March.
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
  const mp = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${isoYear(year)}-${two(month)}-${two(day)}`;
}

/** `HH:MM:SS.ffffff` of microseconds of a day; Postgres' 24:00 stays `24:00:00.000000`. */
export function isoTime(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = micros - seconds * 1_000_000;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return `${two(hours)}:${two(minutes - hours * 60)}:${two(seconds - minutes * 60)}.${String(fraction).padStart(6, '0')}`;
}

/** `YYYY-MM-DDTHH:MM:SS.ffffff` of microseconds since 1970-01-01. */
export function isoTimestamp(micros: bigint): string {
  let days: number;
  let ofDay: number;
  const n = Number(micros);
  if (Number.isSafeInteger(n)) {
    days = Math.floor(n / microsPerDay);
    ofDay = n - days * microsPerDay;
  } else {
    const day = BigInt(microsPerDay);
    const rest = micros % day;
    ofDay = Number(rest < 0n ? rest + day : rest);
    days = Number((micros - BigInt(ofDay)) / day);
  }
  return `${isoDate(days)}T${isoTime(ofDay)}`;
}

const datePattern = /^([+-]\d{4,7}|\d{4})-(\d\d)-(\d\d)$/;

/** Day number of an ISO date; undefined for anything else, a 30 February too. */
export function parseIsoDate(text: string): number | undefined {
  const m = datePattern.exec(text);
  return m ? dayNumber(Number(m[1]), Number(m[2]), Number(m[3])) : undefined;
}

const timestampPattern = /^([+-]\d{4,7}|\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z?$/;

/** Microseconds of an ISO timestamp without zone or in UTC (`Z`); undefined for anything else. */
export function parseIsoTimestamp(text: string): bigint | undefined {
  const m = timestampPattern.exec(text);
  if (!m) return undefined;
  const days = dayNumber(Number(m[1]), Number(m[2]), Number(m[3]));
  const [hours, minutes, seconds] = [Number(m[4]), Number(m[5]), Number(m[6])];
  if (days === undefined || hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const fraction = m[7] === undefined ? 0 : Number(m[7]) * 10 ** (6 - m[7].length);
  const ofDay = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction;
  const micros = days * microsPerDay + ofDay;
  return Number.isSafeInteger(micros) ? BigInt(micros) : BigInt(days) * BigInt(microsPerDay) + BigInt(ofDay);
}

/** days_from_civil; undefined for a day that is not in the calendar. */
function dayNumber(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function isoYear(year: number): string {
  if (year >= 0 && year <= 9_999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}
