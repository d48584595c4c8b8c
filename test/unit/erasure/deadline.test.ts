import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deadlineOf, extendedDeadline } from '../../../erasure/deadline.ts';

const dayMs = 86_400_000;

/**
 * The same without any arithmetic of months: walks on day by day until the `months`-th month after is over; the last day in it that is not
 * beyond the day of receipt is the deadline.
 */
function byWalking(receivedAt: Date, months: number): Date {
  const monthOf = (date: Date) => date.toISOString().slice(0, 7);
  const dayOf = (date: Date) => Number(date.toISOString().slice(8, 10));
  let month = monthOf(receivedAt);
  let entered = 0;
  let last: Date | undefined;
  for (let day = new Date(receivedAt.getTime() + dayMs); ; day = new Date(day.getTime() + dayMs)) {
    if (monthOf(day) !== month) {
      month = monthOf(day);
      entered += 1;
    }
    if (entered > months) return last!;
    if (entered === months && dayOf(day) <= dayOf(receivedAt)) last = day;
  }
}

describe('the deadline of a request', () => {
  it.each([
    ['2026-03-05T10:00:00.000Z', '2026-04-05T10:00:00.000Z', '2026-06-05T10:00:00.000Z'],
    ['2026-01-31T23:59:59.999Z', '2026-02-28T23:59:59.999Z', '2026-04-30T23:59:59.999Z'],
    ['2028-01-31T00:00:00.000Z', '2028-02-29T00:00:00.000Z', '2028-04-30T00:00:00.000Z'],
    ['2026-02-28T12:00:00.000Z', '2026-03-28T12:00:00.000Z', '2026-05-28T12:00:00.000Z'],
    ['2026-08-31T12:00:00.000Z', '2026-09-30T12:00:00.000Z', '2026-11-30T12:00:00.000Z'],
    ['2026-11-30T12:00:00.000Z', '2026-12-30T12:00:00.000Z', '2027-02-28T12:00:00.000Z'],
    ['2026-12-31T12:00:00.000Z', '2027-01-31T12:00:00.000Z', '2027-03-31T12:00:00.000Z'],
  ])('received at %s is %s, put off %s', (received, month, three) => {
    expect(deadlineOf(new Date(received)).toISOString()).toBe(month);
    expect(extendedDeadline(new Date(received)).toISOString()).toBe(three);
  });

  it('is a month, or three, later by the calendar, whatever the day', () => {
    const days = fc.date({
      min: new Date('1999-01-01T00:00:00Z'),
      max: new Date('2110-01-01T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(days, (received) => {
        expect(deadlineOf(received)).toEqual(byWalking(received, 1));
        expect(extendedDeadline(received)).toEqual(byWalking(received, 3));
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves the receipt as it was', () => {
    const received = new Date('2026-01-31T12:00:00Z');
    deadlineOf(received);
    expect(received.toISOString()).toBe('2026-01-31T12:00:00.000Z');
  });
});
