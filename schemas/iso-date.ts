/** Days since 1970-01-01 as `YYYY-MM-DD` (proleptic Gregorian, as Postgres counts); beyond Date's range as `days:N`. */
export function isoDate(days: number): string {
  const ms = days * 86_400_000;
  if (Math.abs(ms) > 8.64e15) return `days:${days}`;
  const text = new Date(ms).toISOString();
  return text.slice(0, text.indexOf('T'));
}
