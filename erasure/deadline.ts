/** GDPR, Article 12(3): one month, and two further ones where an extension is told within the first. */
const months = 1;
const extendedMonths = 3;

/**
 * Until when a request is to be answered: the same day of the next month, or its last where it has no such day (Regulation 1182/71,
 * Article 3), at the time of day at which it was received. The law gives the rest of that day, and the next working day; nobody should need
 * them. Days are those of UTC: what is received west of Greenwich in the evening is received on the next day.
 */
export function deadlineOf(receivedAt: Date): Date {
  return monthsLater(receivedAt, months);
}

/** Until when where the answer is put off by two further months: counted from the receipt, not from the first deadline. */
export function extendedDeadline(receivedAt: Date): Date {
  return monthsLater(receivedAt, extendedMonths);
}

function monthsLater(from: Date, count: number): Date {
  const later = new Date(from);
  later.setUTCMonth(from.getUTCMonth() + count);
  // Where the month has no such day, the days that are too many have led into the next: its day 0 is the last of the month before.
  if (later.getUTCDate() !== from.getUTCDate()) later.setUTCDate(0);
  return later;
}
