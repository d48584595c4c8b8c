import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Approver } from '../../../keys/access/approval.ts';
import { approved, type Glass, serves, waitsMs } from '../../../keys/access/glass.ts';
import { may, type Permission, rolePermissions, roles } from '../../../keys/access/permissions.ts';

const start = new Date('2026-01-01T00:00:00Z');
const after = (ms: number) => new Date(start.getTime() + ms);
const use = { kind: 'decrypt', table: 'public.people', classification: 'person.contact' } as const;
const asked: Glass = { id: 'g', principal: 'asker', use, createdAt: start, openMs: 1000, approvals: [] };

const approver = fc.record({
  name: fc.constantFrom('asker', 'a', 'b', 'c'),
  since: fc.constantFrom(undefined, after(-1), start, after(5)),
  isDisabled: fc.boolean(),
});
const steps = fc.array(fc.record({ by: approver, waitMs: fc.constantFrom(0, 1, 400, waitsMs) }), {
  maxLength: 8,
});

function tried(glass: Glass, by: Approver, now: Date): Glass {
  try {
    return approved(glass, by, now);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ACCESS_REFUSED' });
    return glass;
  }
}

describe('a glass', () => {
  it('opens with the second who counts, in whatever order they come, and not before', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let glass = asked;
        let ms = 0;
        const counted = new Map<string, number>();
        for (const { by, waitMs } of all) {
          ms += waitMs;
          const isFresh = by.since !== undefined && by.since >= start;
          const counts = !by.isDisabled && by.name !== 'asker' && !isFresh && ms < waitsMs;
          if (counts && counted.size < 2 && !counted.has(by.name)) counted.set(by.name, ms);
          glass = tried(glass, by as Approver, after(ms));
        }
        expect(glass.approvals.map(({ principal }) => principal)).toEqual([...counted.keys()]);
        const second = [...counted.values()][1];
        expect(glass.opensUntil).toEqual(second === undefined ? undefined : after(second + asked.openMs));
        // Before its second approval it serves nobody; afterwards the asker alone, for its time.
        expect(serves(glass, 'asker', use, after(second ?? ms))).toBe(second !== undefined);
        expect(serves(glass, 'asker', use, after((second ?? ms) + asked.openMs))).toBe(false);
        for (const other of ['a', 'b', 'c'])
          expect(serves(glass, other, use, after(second ?? ms))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  const two = (glass: Glass) =>
    ['a', 'b'].reduce((g, name) => approved(g, { name, isDisabled: false }, after(1)), glass);

  it('serves what it was opened for, and nothing else', () => {
    const open = two(asked);
    expect(serves(open, 'asker', use, after(2))).toBe(true);
    for (const other of [
      { ...use, classification: 'payment.card' },
      { ...use, table: 'public.orders' },
      { kind: 'decrypt' as const },
      { ...use, kind: 'payload' as const },
      { ...use, kind: 'readmit' as const },
    ]) {
      expect(serves(open, 'asker', other, after(2))).toBe(false);
    }
    const all = two({ ...asked, use: { kind: 'payload', table: '*', classification: '*' } });
    expect(serves(all, 'asker', { kind: 'payload', table: 'public.people' }, after(2))).toBe(true);
    expect(serves(all, 'asker', use, after(2))).toBe(false);
  });

  it('that was closed serves nobody and opens for nobody', () => {
    const closed = { ...two(asked), closedAt: after(2) };
    expect(serves(closed, 'asker', use, after(3))).toBe(false);
    const early = { ...asked, closedAt: after(1) };
    expect(() => approved(early, { name: 'a', isDisabled: false }, after(2))).toThrow();
  });
});

describe('roles', () => {
  it('part what must not be in one hand', () => {
    const apart: readonly (readonly [Permission, Permission])[] = [
      ['access:manage', 'decrypt'],
      ['access:manage', 'keys:manage'],
      ['erase:approve', 'keys:manage'],
      ['decrypt', 'payload:read'],
    ];
    for (const role of roles) {
      for (const [one, other] of apart) expect(may(role, one) && may(role, other), role).toBe(false);
    }
  });

  it('give an auditor nothing but to read', () => {
    expect(rolePermissions.auditor.every((permission) => permission.endsWith(':read'))).toBe(true);
  });
});
