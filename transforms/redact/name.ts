import { plainText } from './plain-text.ts';
import type { Span } from './span.ts';

/** What is searched for: single words, and words in a row by the first of them. All folded. */
export interface NameNeedles {
  readonly words: ReadonlySet<string>;
  readonly rows: ReadonlyMap<string, readonly (readonly string[])[]>;
}

const word = /[\p{L}\p{M}]+/gu;
const gap = /^[ .,_'’‘\u0060´-]{1,3}$/;
/** Rows are compared at every place where their first word stands, so their length is bounded. */
const longestRow = 16;

/** Words that stand in many names and in all texts. */
const particles: ReadonlySet<string> = new Set(
  `af al an and av da das de del della dem den der di do dos du e el et ibn la las le les los och of op ten ter
  the und van vom von y zu zum zur`
    .toUpperCase()
    .split(/\s+/),
);

/** The needles for the values of a row's name columns. */
export function compileNames(names: readonly string[]): NameNeedles {
  const words = new Set<string>();
  const rows = new Map<string, string[][]>();
  const addRow = (row: string[]): void => {
    if (row.length === 0 || row.length > longestRow || !isLongEnough(row.join(''))) return;
    rows.set(row[0]!, [...(rows.get(row[0]!) ?? []), row]);
  };
  for (const name of names) {
    const plain = plainText(name).text;
    const whole = foldedWords(plain);
    for (const each of whole) if (isLongEnough(each) && !particles.has(each)) words.add(each);
    addRow(whole);
    for (const part of plain.split(/\s+/)) {
      const row = foldedWords(part);
      if (row.length > 1) addRow(row);
    }
  }
  return { words, rows };
}

export function nameSpans(plain: string, { words, rows }: NameNeedles): Span[] {
  if (words.size === 0 && rows.size === 0) return [];
  const text = [...plain.matchAll(word)].map(({ 0: shown, index }) => ({
    folded: folded(shown),
    from: index,
    to: index + shown.length,
  }));
  return text.flatMap(({ folded, from, to }, i) => {
    const spans: Span[] = words.has(folded) ? [{ from, to, kind: 'name' }] : [];
    for (const row of rows.get(folded) ?? []) {
      const isThere = row.every((each, k) => {
        const here = text[i + k];
        if (here?.folded !== each) return false;
        return k === 0 || gap.test(plain.slice(text[i + k - 1]!.to, here.from));
      });
      if (isThere) spans.push({ from, to: text[i + row.length - 1]!.to, kind: 'name' });
    }
    return spans;
  });
}

function foldedWords(plain: string): string[] {
  return (plain.match(word) ?? []).map(folded);
}

function isLongEnough(folded: string): boolean {
  return /^..+$/su.test(folded);
}

/** Letters whose stroke or ligature Unicode does not take apart, and what they are read as. */
const strokes: Readonly<Record<string, string>> = {
  Ø: 'O',
  Ł: 'L',
  Đ: 'D',
  Ð: 'D',
  Ħ: 'H',
  Æ: 'AE',
  Œ: 'OE',
  Þ: 'TH',
};

/** A word without case and marks, the same for every normal form of Unicode. Upper case, as it also takes ß apart. */
function folded(shown: string): string {
  // The plain text has its ASCII in upper case.
  if (/^[A-Z]+$/.test(shown)) return shown;
  return shown
    .normalize('NFD')
    .toUpperCase()
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[ØŁĐÐĦÆŒÞ]/g, (letter) => strokes[letter]!);
}
