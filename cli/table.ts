import { styleText } from 'node:util';

/** How a cell is shown on a terminal; elsewhere it is plain text. */
export type Style = Parameters<typeof styleText>[0];

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

const gap = '  ';

/**
 * Rows under a head as text for a person. Where the terminal is narrower than the table the last column is wrapped,
 * so that nothing is cut off.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
  out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> = process.stdout,
): string {
  const cells = [head.map((text): Cell => ({ text, style: 'bold' })), ...rows.map((row) => row.map(toCell))];
  const last = head.length - 1;
  const widths = head.map((_, i) => Math.max(...cells.map((row) => width(row[i]!.text))));
  const before = widths.slice(0, last).reduce((sum, w) => sum + w + gap.length, 0);
  const room = out.isTTY ? Math.max(24, (out.columns || 80) - before - 1) : Number.POSITIVE_INFINITY;
  return cells
    .map((row) => {
      const left = row
        .slice(0, last)
        .map((cell, i) => paint(cell, out) + ' '.repeat(widths[i]! - width(cell.text)));
      const lines = wrap(row[last]!.text, room).map((text) => paint({ ...row[last]!, text }, out));
      return [...left, lines.join(`\n${' '.repeat(before)}`)].join(gap).trimEnd();
    })
    .join('\n')
    .concat('\n');
}

function toCell(cell: string | Cell): Cell {
  return typeof cell === 'string' ? { text: cell } : cell;
}

function width(text: string): number {
  return Array.from(text).length;
}

function paint(cell: Cell, out: Pick<NodeJS.WriteStream, 'isTTY'>): string {
  return cell.style !== undefined && out.isTTY ? styleText(cell.style, cell.text) : cell.text;
}

function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
