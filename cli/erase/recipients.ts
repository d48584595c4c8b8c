import type { CertificateBody } from '../../erasure/certificate.ts';
import type { Notice } from '../../erasure/notices.ts';
import type { Recipient } from '../../schemas/config.ts';

type Recipients = CertificateBody['recipients'];

/** Who gets one of these tables, and which of them; in the order of the configuration. */
export function recipientsOf(
  all: readonly Recipient[],
  tables: ReadonlySet<string>,
): { readonly recipient: string; readonly tables: readonly string[] }[] {
  return all.flatMap(({ name, tables: his }) => {
    const own = [...new Set(his)].filter((table) => tables.has(table)).toSorted();
    return own.length === 0 ? [] : [{ recipient: name, tables: own }];
  });
}

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
