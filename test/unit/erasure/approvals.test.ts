import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalsMissing } from '../../../erasure/approvals.ts';
import { requireRecipient } from '../../../erasure/notices.ts';
import { endedStates, type ErasureRequest } from '../../../erasure/requests.ts';
import { erasureSteps } from '../../../erasure/step.ts';
import { type Approver, requireIndependent } from '../../../keys/access/approval.ts';
import { roles } from '../../../keys/access/permissions.ts';

const filed = new Date('2026-01-01T00:00:00Z');
const by = (name: string, more: Partial<Approver> = {}): Approver => ({ name, isDisabled: false, ...more });

describe('an approval', () => {
  const asked = { principal: 'asker', createdAt: filed, approvals: [{ principal: 'a', at: filed }] };
  it.each([
    [by('b'), undefined],
    [by('b', { since: new Date(filed.getTime() - 1) }), undefined],
    [by('asker'), 'own-request'],
    [by('a'), 'approved-before'],
    [by('b', { isDisabled: true }), 'disabled'],
    [by('b', { since: filed }), 'newer-than-request'],
  ])('counts once, of another who was there before and still is: %o', (approver, why) => {
    const tried = () => requireIndependent(asked, approver);
    if (why === undefined) expect(tried).not.toThrow();
    else expect(tried).toThrow(expect.objectContaining({ detail: { why, principal: approver.name } }));
  });
});

describe('a request', () => {
  const given = (counts: readonly boolean[]) =>
    counts.map((one, i) => ({ principal: `p${i}`, at: filed, counts: one }));
  const at = (
    step: ErasureRequest['step'],
    state: ErasureRequest['state'],
    needed: number,
    counts: readonly boolean[],
  ) => approvalsMissing({ step, state, approvals: { needed, given: given(counts) } });

  it('waits before its first step for as many as it needs who still count, and not in its middle', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...erasureSteps),
        fc.constantFrom<ErasureRequest['state']>('open', 'needs-person', ...endedStates),
        fc.nat(5),
        fc.array(fc.boolean(), { maxLength: 6 }),
        (step, state, needed, counts) => {
          const missing = at(step, state, needed, counts);
          const counted = counts.filter(Boolean).length;
          const waits =
            step === 'checked' && (state === 'open' || state === 'needs-person') && counted < needed;
          expect(missing).toBe(waits ? needed - counted : 0);
        },
      ),
    );
  });

  it('waits for nobody where nobody is asked', () => {
    expect(at('checked', 'open', 0, [])).toBe(0);
  });
});

describe('a notice', () => {
  it('is acknowledged by its recipient, by who files erasures, and where access is open', () => {
    for (const role of roles) {
      expect(() => requireRecipient({ name: 'billing', role }, { name: 'billing' })).not.toThrow();
      const forAnother = () => requireRecipient({ name: 'other', role }, { name: 'billing' });
      const own = { name: 'billing', principal: 'oidc:7f3a' };
      const asNamed = () => requireRecipient({ name: 'billing', role }, own);
      expect(() => requireRecipient({ name: 'oidc:7f3a', role }, own)).not.toThrow();
      for (const refused of [forAnother, asNamed]) {
        if (role === 'compliance') expect(refused).not.toThrow();
        else expect(refused).toThrow(expect.objectContaining({ code: 'ACCESS_REFUSED' }));
      }
    }
    expect(() => requireRecipient({ name: 'user:me' }, { name: 'billing' })).not.toThrow();
  });
});
