import type { CertificateBody } from '../../erasure/certificate.ts';
import { sourceErasure } from '../../schemas/erasure-rule.ts';
import { canTell } from './by-subject.ts';
import { type Dataset, followsPaths, parkingMs } from '../../schemas/dataset.ts';

/** How long a clean topic keeps tombstones; see topic-settings.ts. */
const tombstoneDays = 7;
/** The same of dead letters. */
const letterDays = 30;
const dayMs = 86_400_000;

/** What nobody looked at, or nobody can: a certificate that kept silent about it would say too much. */
export function notExamined(datasets: readonly Dataset[]): CertificateBody['notExamined'] {
  const left = datasets
    .filter(({ contract }) => sourceErasure(contract) !== 'delete')
    .map(({ table }) => table);
  const keys = datasets.flatMap(({ table, key }) =>
    key.some(({ rule }) => rule.action === 'keep') ? [table] : [],
  );
  const waiting = datasets.filter(followsPaths);
  const waitingTables = waiting.map(({ table }) => table).join(', ');
  const untold = datasets.flatMap((dataset) =>
    dataset.contract.sinks.some((sink) => !canTell(dataset, sink)) ? [dataset.table] : [],
  );
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
            until: isoIn(tombstoneDays * dayMs),
          },
        ]
      : []),
    ...(untold.length > 0
      ? [
          {
            what: `rows in the stores of ${untold.join(', ')} that somebody else wrote, under keys of his own`,
            why: 'No column that passes there tells whose a row is. What this pipeline wrote is found by its keys.',
          },
        ]
      : []),
    ...(waiting.length > 0
      ? [
          {
            what: `rows of ${waitingTables} that wait for a row which nobody knows`,
            why: 'Whose they are nobody can say before it has come. They are sealed, and become encrypted dead letters at their deadline.',
            until: isoIn(Math.max(...waiting.map(parkingMs)) + letterDays * dayMs),
          },
          {
            what: `rows at the source in ${waitingTables} whose path leads to no row`,
            why: 'Whose they are nobody can say.',
          },
        ]
      : []),
    {
      what: 'copies that consumers of the topics and readers of the stores have made',
      why: 'Nobody here can reach them. What is encrypted in them is unreadable with the key gone.',
    },
  ];
}

function isoIn(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}
