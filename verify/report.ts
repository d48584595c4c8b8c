import { allEqual, type TableComparison } from './compare.ts';
import { isClean, type PlaceReport } from './scan.ts';

export interface ReportOptions {
  /** ANSI colours, for a terminal. */
  readonly colour: boolean;
}

/** The comparison as a table, one line for each table and place, then what differs. */
export function formatComparison(comparisons: readonly TableComparison[], options: ReportOptions): string {
  const paint = painter(options);
  const rows = comparisons.flatMap(({ table, places }) =>
    places.map(({ place, counts, values, decrypted, columns }) => {
      const equal = counts.equal === counts.source && counts.extra === 0 && columns.size === 0;
      return {
        cells: [
          table,
          place,
          ...[
            counts.source,
            counts.compared,
            counts.equal,
            counts.missing,
            counts.extra,
            counts.different,
          ].map(grouped),
          grouped(values),
          grouped(decrypted),
          equal ? 'equal' : 'DIFFERS',
        ],
        good: equal,
      };
    }),
  );
  const heads = [
    'table',
    'place',
    'rows',
    'compared',
    'equal',
    'missing',
    'extra',
    'different',
    'values',
    'decrypted',
    '',
  ];
  const lines = [table(heads, rows, paint)];
  for (const { table: name, places } of comparisons) {
    for (const { place, columns, findings } of places) {
      if (columns.size > 0) lines.push(`${name} in ${place}, columns that differ: ${countsText(columns)}`);
      for (const finding of findings) {
        const what = finding.columns.map((column) => `${column.name} (${column.why})`).join(', ');
        lines.push(`  row ${finding.keyDigest} ${finding.kind}${what ? `: ${what}` : ''}`);
      }
    }
  }
  const verdict = allEqual(comparisons)
    ? paint.good('Every row and every value is as the contracts say.')
    : paint.bad('Rows differ from what the contracts say.');
  return `${[...lines, verdict].join('\n')}\n`;
}

/** The scan as a table, one line for each place, then what was found and what could not be read. */
export function formatScan(reports: readonly PlaceReport[], options: ReportOptions): string {
  const paint = painter(options);
  const rows = reports.map((report) => ({
    cells: [
      report.place,
      grouped(report.records),
      grouped(report.files),
      bytesText(report.bytes),
      `${report.seconds.toFixed(1)} s`,
      grouped(report.found),
      report.found > 0 ? 'LEAKED' : report.problems.length > 0 ? 'NOT READ' : 'clean',
    ],
    good: report.found === 0 && report.problems.length === 0,
  }));
  const lines = [table(['place', 'records', 'files', 'bytes', 'time', 'found', ''], rows, paint)];
  for (const report of reports) {
    for (const finding of report.findings) {
      lines.push(
        `  ${finding.table}.${finding.column} (${finding.action}, ${finding.form}) in ${finding.where}, byte ${finding.offset}`,
      );
    }
    const more = report.found - report.findings.length;
    if (more > 0) lines.push(`  … and ${grouped(more)} more in ${report.place}`);
    for (const problem of report.problems) lines.push(`  ${report.place}: ${problem}`);
  }
  const verdict = isClean(reports)
    ? paint.good('No protected value was found anywhere.')
    : paint.bad('The scan is not clean.');
  return `${[...lines, verdict].join('\n')}\n`;
}

/** Both as one JSON object, for programs. */
export function reportJson(comparisons: readonly TableComparison[], reports: readonly PlaceReport[]): string {
  const value = {
    equal: allEqual(comparisons),
    clean: isClean(reports),
    comparisons,
    places: reports,
  };
  return `${JSON.stringify(value, (_key, item: unknown) => (item instanceof Map ? Object.fromEntries(item) : item), 2)}\n`;
}

interface Row {
  readonly cells: readonly string[];
  readonly good: boolean;
}

interface Painter {
  good(text: string): string;
  bad(text: string): string;
  head(text: string): string;
}

/** Columns as wide as their widest cell; numbers to the right. The last column is the verdict, in colour. */
function table(heads: readonly string[], rows: readonly Row[], paint: Painter): string {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row.cells[i]!.length)));
  const numeric = heads.map(
    (_, i) => rows.length > 0 && rows.every((row) => /^[\d,.]+( \w+)?$/.test(row.cells[i]!)),
  );
  const line = (cells: readonly string[]): string[] =>
    cells.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
  return [
    paint.head(line(heads).join('  ').trimEnd()),
    ...rows.map((row) => {
      const cells = line(row.cells);
      const verdict = cells.pop()!.trimEnd();
      return `${cells.join('  ')}  ${row.good ? paint.good(verdict) : paint.bad(verdict)}`;
    }),
  ].join('\n');
}

function painter({ colour }: ReportOptions): Painter {
  const wrap = (code: string) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { good: wrap('32'), bad: wrap('1;31'), head: wrap('1') };
}

function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

function countsText(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${grouped(count)}`).join(', ');
}
