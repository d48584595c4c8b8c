/** Text that is HTML already: made by {@link html} alone, so that nothing comes into a page unescaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[];

/** A piece of HTML; whatever is put in is escaped, unless it is a piece itself. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, i) => (i === 0 ? text : written(parts[i - 1]!) + text)).join(''));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function written(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('');
  return String(part)
    .replaceAll(/[&<>"']/g, (sign) => entities[sign]!)
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, shown);
}

/** A sign without a form of its own, as those that turn the direction of writing: shown, so that no text looks like another. */
function shown(sign: string): string {
  return `[U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** A table of these cells under a head. Columns of numbers are aligned to the right. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly (string | number | Html)[])[],
): Html {
  return html`<table>
<thead><tr>${head.map((name, i) => html`<th scope="col"${numeric(rows, i)}>${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, i) => html`<td${numeric(rows, i)}>${cellText(cell)}</td>`)}</tr>\n`)}</tbody>
</table>
`;
}

/** Names and what stands to them. */
export function htmlFacts(facts: readonly (readonly [name: string, value: string | Html])[]): Html {
  return html`<table class="facts"><tbody>
${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>\n`)}</tbody></table>
`;
}

/** Of numbers, or of numbers and gaps. */
function numeric(rows: readonly (readonly unknown[])[], column: number): Html {
  const cells = rows.map((row) => row[column]);
  const isNumeric =
    cells.some((cell) => typeof cell === 'number') &&
    cells.every((cell) => typeof cell === 'number' || cell === '–');
  return isNumeric ? html` class="number"` : html``;
}

function cellText(cell: string | number | Html): string | Html {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}
