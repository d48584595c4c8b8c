import type { CertificateBody } from '../../erasure/certificate.ts';
import { sourceErasure } from '../../schemas/erasure-rule.ts';
import type { Dataset } from '../../schemas/dataset.ts';

/** How long a clean topic keeps tombstones; see topic-settings.ts. */
const tombstoneDays = 7;

/** What nobody looked at, or nobody can: a certificate that kept silent about it would say too much. */
export function notExamined(datasets: readonly Dataset[]): CertificateBody['notExamined'] {
  const left = datasets
    .filter(({ contract }) => sourceErasure(contract) !== 'delete')
    .map(({ table }) => table);
  const keys = datasets.flatMap(({ table, key }) =>
    key.some(({ rule }) => rule.action === 'keep') ? [table] : [],
  );
  const untilGone = new Date(Date.now() + tombstoneDays * 86_400_000).toISOString();
  return [
    ...(left.length > 0
      ? [
          {
            what: `rows at the source in ${left.join(', ')}`,
            why: 'Their contracts leave them, or some of their columns, to the application.',
          },
        ]
      : []),
    {
      what: 'the source’s WAL, archives and backups',
      why: 'They keep deleted rows for as long as they are kept; what is restored from them is suppressed.',
    },
    {
      what: 'backups and snapshots of Kafka, Elasticsearch and ClickHouse',
      why: 'They are made outside of Lethe. What is encrypted in them is unreadable with the key gone.',
    },
    ...(keys.length > 0
      ? [
          {
            what: `record keys of ${keys.join(', ')} in tombstones`,
            why: 'A tombstone keeps a deleted record’s key: in the topics for some days, in the stores as long as an older write may come.',
            until: untilGone,
          },
        ]
      : []),
    {
      what: 'copies that consumers of the topics and readers of the stores have made',
      why: 'Nobody here can reach them. What is encrypted in them is unreadable with the key gone.',
    },
  ];
}
