import type { Finding, Severity } from '../schemas/finding.ts';
import { renderTable, type Style } from './table.ts';

const styles: Readonly<Record<Severity, Style>> = { error: 'red', warning: 'yellow', notice: 'dim' };

/** Findings as a table for people, and how many there are of each severity. */
export function findingsTable(
  findings: readonly Finding[],
  out: NodeJS.WriteStream = process.stdout,
): string {
  if (findings.length === 0) return 'no findings\n';
  const rows = findings.map((finding) => [
    { text: finding.severity, style: styles[finding.severity] },
    `${finding.file}:${finding.line}`,
    finding.field,
    finding.code,
    `${finding.message} -> ${finding.fix}`,
  ]);
  const counts = (['error', 'warning', 'notice'] as const).map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return `${count} ${severity}${count === 1 ? '' : 's'}`;
  });
  return `${renderTable(['severity', 'place', 'field', 'code', 'reason -> way out'], rows, out)}${counts.join(', ')}\n`;
}
