import { describe, expect, it } from 'vitest';
import { recipientsIn, unacknowledged, withoutCopies } from '../../../cli/erase/recipients.ts';
import { certificateShape } from '../../../erasure/certificate.ts';
import { certificateHtml } from '../../../erasure/certificate-html.ts';
import { signCertificate } from '../../../erasure/certificate-document.ts';
import type { Notice } from '../../../erasure/notices.ts';
import { certificateBody, testSigningKey } from '../../support/certificate-fixture.ts';

const notice = (recipient: string, changes: Partial<Notice> = {}): Notice => ({
  request: 'r-1',
  recipient,
  tables: ['public.orders'],
  records: 3,
  parts: 1,
  noticedAt: new Date('2026-03-02T09:31:01Z'),
  acknowledgedAt: null,
  acknowledgedBy: null,
  reference: null,
  ...changes,
});
const acknowledged = {
  acknowledgedAt: new Date('2026-03-02T10:00:00Z'),
  acknowledgedBy: 'billing-clerk',
  reference: 'ticket 4711',
};
const body = () => certificateBody({ recipients: recipientsIn([notice('billing'), notice('printer')]) });
const sound = (changes: object) =>
  certificateShape.safeParse({ ...certificateBody(), number: 1, previous: null, ...changes }).success;

describe('a certificate', () => {
  it('says who was told and when he acknowledged, and nothing that people wrote', () => {
    const recipients = recipientsIn([notice('billing', acknowledged)]);
    expect(recipients).toEqual([
      {
        recipient: 'billing',
        tables: ['public.orders'],
        records: 3,
        toldAt: '2026-03-02T09:31:01.000Z',
        acknowledgedAt: '2026-03-02T10:00:00.000Z',
      },
    ]);
    expect(sound({ recipients })).toBe(true);
  });

  it('counts the copies of who has not acknowledged as not examined, and the final one no more', () => {
    const first = body();
    const open = [...first.notExamined, ...unacknowledged(first.recipients)];
    expect(open.slice(first.notExamined.length).map(({ what }) => what)).toEqual([
      'copies of the recipient billing',
      'copies of the recipient printer',
    ]);
    const later = recipientsIn([notice('billing', acknowledged), notice('printer')]);
    const final = [...withoutCopies({ ...first, notExamined: open }), ...unacknowledged(later)];
    expect(final).toEqual([...first.notExamined, unacknowledged(later)[0]]);
    expect(unacknowledged(later).map(({ what }) => what)).toEqual(['copies of the recipient printer']);
  });

  it('is none of an erasure that fewer have approved than had to', () => {
    const at = '2026-03-02T09:19:30Z';
    expect(sound({ approvals: { needed: 0, givenAt: [] } })).toBe(true);
    expect(sound({ approvals: { needed: 2, givenAt: [at, at] } })).toBe(true);
    expect(sound({ approvals: { needed: 2, givenAt: [at] } })).toBe(false);
    expect(sound({ approvals: undefined })).toBe(false);
    expect(sound({ recipients: undefined })).toBe(false);
  });

  it('shows both on its page', () => {
    const page = certificateHtml(
      signCertificate({ ...certificateBody(), number: 1, previous: null }, testSigningKey()),
    );
    expect(page).toContain('Recipients who were told');
    expect(page).toMatch(/printer<\/td>.*not yet/);
    expect(page).toContain('Approved by 1 besides who filed it</th><td>2026-03-02 09:19:30');
    const none = signCertificate(
      {
        ...certificateBody({ recipients: [], approvals: { needed: 0, givenAt: [] } }),
        number: 1,
        previous: null,
      },
      testSigningKey(),
    );
    expect(certificateHtml(none)).not.toMatch(/Recipients who were told|Approved by/);
  });
});
