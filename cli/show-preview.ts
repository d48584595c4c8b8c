import { ruleText } from '../schemas/diff/rule-text.ts';
import type { Preview } from './preview.ts';
import { renderTable } from './table.ts';

/** Longest value in a cell, in code points; and the width that is filled where there is no terminal. */
const widest = 36;
const usualWidth = 120;
const gap = 2;

/**
 * A preview for a person: what becomes of each column, then the rows side by side, a line a column, as many as fit. The other way
 * round a table of dozens of columns would fit in no terminal.
 */
export function showPreview(preview: Preview, out: NodeJS.WriteStream = process.stdout): string {
  const { table, columns, rows, left, notes } = preview;
  const head = ['column', 'classification', 'action', 'type'];
  const lines = columns.map(({ name, rule, type }) => [name, rule.classification, ruleText(rule), type]);
  const failures = rows.flatMap((row, i) => {
    if ('failed' in row) return [`row ${i + 1} would become a dead letter: ${row.failed}: ${row.reason}`];
    return 'withheld' in row ? [`row ${i + 1} does not pass under this contract`] : [];
  });
  const tail = [
    ...failures,
    ...(left.dropped.length === 0 ? [] : [`dropped: ${left.dropped.join(', ')}`]),
    ...(left.unlisted.length === 0
      ? []
      : [`not named by the contract, so not passed: ${left.unlisted.join(', ')}`]),
    ...notes.map((note) => `note: ${note}`),
  ];
  return [
    `${table} as consumers would get it (${rows.length} ${rows.length === 1 ? 'row' : 'rows'}); nothing was written\n`,
    renderTable(head, lines, out),
    ...rowTables(preview, out),
    ...(tail.length === 0 ? [] : [`${tail.join('\n')}\n`]),
  ].join('\n');
}

/** Tables of as many rows as fit beside each other, at least one. */
function rowTables({ columns, rows }: Preview, out: NodeJS.WriteStream): string[] {
  const room = (out.isTTY && out.columns) || usualWidth;
  const names = columns.map(({ name }) => name);
  const before = Math.max('column'.length, ...names.map((name) => name.length));
  const tables: { head: string; cells: string[] }[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const [i, row] of rows.entries()) {
    if (!('values' in row)) continue;
    const head = `row ${i + 1}`;
    const cells = names.map((name) => shown(row.values.get(name)!));
    const width = gap + Math.max(head.length, ...cells.map((cell) => Array.from(cell).length));
    if (used + width > room) {
      tables.push([]);
      used = before;
    }
    tables.at(-1)!.push({ head, cells });
    used += width;
  }
  return tables.map((beside) =>
    renderTable(
      ['column', ...beside.map(({ head }) => head)],
      names.map((name, i) => [name, ...beside.map(({ cells }) => cells[i]!)]),
      out,
    ),
  );
}

/** A text without its quotes, control characters as escapes, cut where it is long. */
function shown(json: string): string {
  const text = json.startsWith('"') ? printable(JSON.parse(json) as string) : json;
  const points = Array.from(text);
  return points.length <= widest ? text : `${points.slice(0, widest - 1).join('')}…`;
}

/** What would move the cursor or turn the direction of the line is shown by its number. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu, (c) =>
    c === '\n' ? '\\n' : `\\u{${c.codePointAt(0)!.toString(16)}}`,
  );
}
