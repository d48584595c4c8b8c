import type { CertificateBody } from '../../erasure/certificate.ts';
import type { Notice } from '../../erasure/notices.ts';

type Recipients = CertificateBody['recipients'];

/** What a certificate says of the recipients who were told. References are texts of people, and stay out. */
export function recipientsIn(notices: readonly Notice[]): Recipients {
  return notices.map(({ recipient, tables, records, noticedAt, acknowledgedAt }) => ({
    recipient,
    tables: [...tables],
    records,
    toldAt: noticedAt.toISOString(),
    acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
  }));
}

/** The copies of those who have not acknowledged: nobody knows what became of them. */
export function unacknowledged(recipients: Recipients): CertificateBody['notExamined'] {
  return recipients
    .filter(({ acknowledgedAt }) => acknowledgedAt === null)
    .map(({ recipient, tables }) => ({
      what: copiesOf(recipient),
      why: `Told, and has not acknowledged yet: it gets ${tables.join(', ')}.`,
    }));
}

/** What was not examined besides the copies of recipients. */
export function withoutCopies({
  recipients,
  notExamined,
}: Pick<CertificateBody, 'recipients' | 'notExamined'>): CertificateBody['notExamined'] {
  const copies = new Set(recipients.map(({ recipient }) => copiesOf(recipient)));
  return notExamined.filter(({ what }) => !copies.has(what));
}

function copiesOf(recipient: string): string {
  return `copies of the recipient ${recipient}`;
}
