import { describe, expect, it } from 'vitest';
import {
  erasureStatusOf,
  erasuresText,
  renderDeadlines,
  renderUnacknowledged,
} from '../../../cli/erase/deadline-alarms.ts';

const now = Date.parse('2026-06-15T12:00:00Z');
const dayMs = 86_400_000;
const request = (
  id: string,
  receivedDays: number,
  leftDays: number,
  state: 'open' | 'needs-person' = 'open',
  needed = 0,
) => ({
  id,
  state,
  step: 'checked' as const,
  approvals: { needed, given: [] },
  receivedAt: new Date(now - receivedDays * dayMs),
  deadline: new Date(now + leftDays * dayMs),
});

describe('requests near their deadline', () => {
  it('are shouted about from five days before it, the first in front', () => {
    const status = erasureStatusOf(
      [
        request('far', 2, 28),
        request('near', 26, 4.5),
        request('edge', 25, 5),
        request('late', 33, -2, 'needs-person'),
      ],
      now,
    );
    expect(status).toMatchObject({ open: 4, needsPerson: 1, oldestOpenMs: 33 * dayMs });
    expect(status.alarms.map(({ request: id }) => id)).toEqual(['late', 'near', 'edge']);
    expect(erasuresText(status)).toBe('4 open, 1 need a person, the oldest since 33 days');
    const text = renderDeadlines(status);
    expect(text).toMatch(/ALARM.*\n(.*\n)*.*request late.*PASSED/);
    expect(text).toContain('within 4 days');
    expect(text).not.toContain('extend late');
    expect(text).not.toContain('request far');
  });

  it('wait for somebody to approve them, where that is what they wait for', () => {
    const status = erasureStatusOf(
      [request('far', 2, 28, 'open', 1), request('near', 26, 4, 'open', 2)],
      now,
    );
    expect(status).toMatchObject({ open: 2, waitForApproval: 2 });
    expect(erasuresText(status)).toBe('2 open, 2 wait for approval, the oldest since 26 days');
    expect(renderDeadlines(status)).toContain('`lethe erase approve near`, or `lethe erase extend near`');
  });

  it('are none where none is open', () => {
    const status = erasureStatusOf([], now);
    expect(status).toEqual({ open: 0, needsPerson: 0, waitForApproval: 0, alarms: [], unacknowledged: [] });
    expect(erasuresText(status)).toBe('no request is open');
    expect(renderDeadlines(status)).toBe('');
  });
});

describe('recipients who have not acknowledged', () => {
  it('are shouted about, with what is to be done', () => {
    const overdue = [{ request: 'r-1', recipient: 'billing', noticedAt: new Date('2026-05-01T08:00:00Z') }];
    const status = erasureStatusOf([], now, overdue);
    expect(status.unacknowledged).toEqual([
      { request: 'r-1', recipient: 'billing', toldAt: '2026-05-01T08:00:00.000Z' },
    ]);
    const text = renderUnacknowledged(status);
    expect(text).toMatch(/ALARM[^]*recipient billing/);
    expect(text).toContain('lethe erase acknowledge r-1 --recipient billing');
    expect(renderUnacknowledged(erasureStatusOf([], now))).toBe('');
  });
});
