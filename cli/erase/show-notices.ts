import type { Notice } from '../../erasure/notices.ts';
import { renderTable } from '../table.ts';

/** A notice as it may be shown to everybody. */
export function describeNotice(notice: Notice) {
  const { recipient, tables, records, noticedAt, acknowledgedAt, acknowledgedBy, reference } = notice;
  return {
    recipient,
    tables,
    records,
    toldAt: noticedAt.toISOString(),
    ...(acknowledgedAt === null ? {} : { acknowledgedAt: acknowledgedAt.toISOString(), acknowledgedBy }),
    ...(reference === null ? {} : { reference }),
  };
}

/** Recipients of a request, for people; nothing where none was told. */
export function renderNotices(notices: readonly Notice[]): string {
  if (notices.length === 0) return '';
  return renderTable(
    ['recipient', 'tables', 'records', 'told', 'acknowledged', 'reference'],
    notices.map(({ recipient, tables, records, noticedAt, acknowledgedAt, acknowledgedBy, reference }) => [
      recipient,
      tables.join(', '),
      String(records),
      noticedAt.toISOString(),
      acknowledgedAt === null
        ? { text: 'not yet', style: 'red' as const }
        : `${acknowledgedAt.toISOString()}, by ${acknowledgedBy}`,
      reference ?? '',
    ]),
  );
}
