import { type Change, type ChangeSeverity, severities } from '../schemas/diff/change.ts';
import { renderTable, type Style } from './table.ts';

const styles: Readonly<Record<ChangeSeverity, Style>> = {
  exposes: 'red',
  changes: 'yellow',
  protects: 'green',
};

/** Changes for a person, by table, in the order in which they are given; `since` is what was compared with. */
export function showChanges(
  changes: readonly Change[],
  since: string,
  out: NodeJS.WriteStream = process.stdout,
): string {
  if (changes.length === 0) return `no difference from ${since}\n`;
  const tables = [...new Set(changes.map(({ table }) => table))];
  const parts = tables.map((table) => {
    const rows = changes
      .filter((change) => change.table === table)
      .map(({ severity, sentence }) => [{ text: severity, style: styles[severity] }, sentence]);
    return renderTable([table, ''], rows, out);
  });
  const counts = severities.map(
    (severity) => `${changes.filter((change) => change.severity === severity).length} ${severity}`,
  );
  return `${parts.join('\n')}\n${counts.join(', ')}, compared with ${since}\n`;
}
