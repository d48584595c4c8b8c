/** What a kind of personal data is called in a contract. */
export type RedactKind = 'email' | 'phone' | 'card' | 'iban' | 'national-id' | 'ip' | 'name';

/** One visible character of a text as the rules read it, and which part of the text it is. */
export interface Glyph {
  readonly char: string;
  readonly sort: 'letter' | 'digit' | 'other';
  readonly start: number;
  readonly end: number;
}

/** Neighbouring letters, neighbouring digits, or one other glyph: glyphs `from` to before `to`. */
export interface Token {
  readonly text: string;
  readonly sort: Glyph['sort'];
  readonly from: number;
  readonly to: number;
}

/** Something found: glyphs `from` to before `to`. */
export interface Found {
  readonly from: number;
  readonly to: number;
}

const shown = ['[email]', '[phone]', '[card]', '[iban]', '[national-id]', '[ip]', '[name]'];
const hyphens = new Set('‐‑‒–—―−﹘﹣');

export function glyphsOf(text: string): Glyph[] {
  const glyphs: Glyph[] = [];
  let end = 0;
  for (const point of text) {
    const start = end;
    end += point.length;
    const last = glyphs.at(-1);
    // Characters of a placeholder that has been read already.
    if (last && last.end > start) continue;
    const placeholder = point === '[' && shown.find((each) => text.startsWith(each, start));
    if (placeholder) {
      glyphs.push({ char: placeholder, sort: 'other', start, end: start + placeholder.length });
      continue;
    }
    const char = plain(point);
    if (char !== '') glyphs.push({ char, sort: sortOf(char), start, end });
  }
  return glyphs;
}

function sortOf(char: string): Glyph['sort'] {
  if (char >= '0' && char <= '9') return 'digit';
  return /\p{L}|\p{M}/u.test(char) ? 'letter' : 'other';
}

function plain(point: string): string {
  const code = point.codePointAt(0)!;
  if (code >= 0xff01 && code <= 0xff5e) return plain(String.fromCharCode(code - 0xff01 + 0x21));
  if (code < 0x80) return code >= 0x61 && code <= 0x7a ? String.fromCharCode(code - 32) : point;
  if (/\p{Default_Ignorable_Code_Point}/u.test(point)) return '';
  if (/\p{Space_Separator}/u.test(point)) return ' ';
  if (hyphens.has(point)) return '-';
  const value = /\p{Decimal_Number}/u.test(point) ? digitsInOrder().indexOf(point) % 10 : -1;
  return value < 0 ? point : String(value);
}

let inOrder: readonly string[] | undefined;

/** All decimal digits of Unicode, which come in tens from zero to nine. Worked out when the first of them is met. */
function digitsInOrder(): readonly string[] {
  inOrder ??= Array.from({ length: 0x20000 }, (_, code) => String.fromCodePoint(code)).filter((point) =>
    /^\p{Decimal_Number}$/u.test(point),
  );
  return inOrder;
}

export function tokensOf(glyphs: readonly Glyph[]): Token[] {
  const tokens: Token[] = [];
  for (const [i, { char, sort }] of glyphs.entries()) {
    const last = tokens.at(-1);
    if (last && last.sort === sort && sort !== 'other') {
      tokens[tokens.length - 1] = { ...last, text: last.text + char, to: i + 1 };
    } else {
      tokens.push({ text: char, sort, from: i, to: i + 1 });
    }
  }
  return tokens;
}

/** Whether something found may start or end before this glyph. */
export function isEdge(glyphs: readonly Glyph[], at: number): boolean {
  const before = glyphs[at - 1]?.sort ?? 'other';
  return before === 'other' || before !== glyphs[at]?.sort;
}

export const isAsciiLetter = (char: string | undefined): boolean =>
  char !== undefined && char.length === 1 && char >= 'A' && char <= 'Z';

export const isDigit = (char: string | undefined): boolean =>
  char !== undefined && char.length === 1 && char >= '0' && char <= '9';
