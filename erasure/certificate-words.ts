import type { Certificate } from './certificate.ts';

/** `2026-03-02 09:20:04 UTC`, fractions of a second left out. */
export function instantText(instant: string): string {
  return `${shortInstant(instant)} UTC`;
}

/** The same where it is said once for all that times are those of UTC. */
export function shortInstant(instant: string): string {
  return new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
}

/** Whether the person's data is gone for good, in a sentence. */
export function finalityText({ finality }: Pick<Certificate, 'finality'>): string {
  if (finality.state === 'final') {
    return `Final since ${instantText(finality.at)}: what was encrypted for this person can be opened by nobody, from no backup.`;
  }
  const until = finality.until === undefined ? '' : ` until ${instantText(finality.until)}`;
  return `Provisional${until}: ${finality.why.replace(/\.$/, '')}.`;
}

/** How far before or after the deadline it was completed. */
export function deadlineText({
  deadline,
  completedAt,
}: Pick<Certificate, 'deadline' | 'completedAt'>): string {
  const days = (Date.parse(deadline) - Date.parse(completedAt)) / 86_400_000;
  const whole = Math.floor(Math.abs(days));
  const span = whole === 0 ? 'less than a day' : whole === 1 ? '1 day' : `${whole} days`;
  return days >= 0 ? `met, ${span} before it ended` : `missed by ${span}`;
}

/** What a reader must know before he relies on a certificate, one sentence each; what is found and what was not looked at come first. */
export function openPoints(certificate: Certificate): string[] {
  const { environment, overrides, tables, places, retained, notExamined } = certificate;
  const left = places.flatMap(({ place, asked, found, verdict, why }) => {
    const because = why === undefined ? '' : ` (${why})`;
    if (verdict === 'found') return [`${place}: ${found} of ${asked} are still there${because}.`];
    return verdict === 'not scanned' ? [`${place}: not scanned${because}.`] : [];
  });
  const late = Date.parse(certificate.completedAt) > Date.parse(certificate.deadline);
  const kept = retained.map(
    ({ table, columns, rows, basis, until }) =>
      `${table}: ${columns.join(', ')} of ${rows} row${rows === 1 ? '' : 's'} stay${columns.length === 1 ? 's' : ''}, under ids drawn by lot: personal data, kept by law (${basis})${until === null ? '' : ` until ${instantText(until)}`}.`,
  );
  const atSource = tables
    .filter(({ source }) => source.action === 'application')
    .map(({ table }) => `${table}: its rows at the source are left to the application.`);
  const byDeletion = tables.flatMap(({ table, forgotten }) => {
    const columns = forgotten.filter(({ how }) => how === 'by deletion only').map(({ column }) => column);
    return columns.length === 0
      ? []
      : [`${table}: ${columns.join(', ')}: deleted here; in a copy that somebody made it is still readable.`];
  });
  const elsewhere = notExamined.map(
    ({ what, why, until }) =>
      `Not examined: ${what} (${why})${until === undefined ? '' : `, gone by ${instantText(until)}`}.`,
  );
  return [
    ...left,
    ...(late ? [`It was completed after its deadline: ${deadlineText(certificate)}.`] : []),
    ...kept,
    ...atSource,
    ...byDeletion,
    ...elsewhere,
    ...(overrides.length > 0
      ? [`Taken all the same, against what production refuses: ${overrides.join(', ')}.`]
      : []),
    ...(environment === 'production' ? [] : [`It was issued in an environment for ${environment}.`]),
  ];
}
