import type { Found, Token } from './glyphs.ts';

const separators = new Set(' -./()');

/** Token by token: first what belongs to no phone number, then the lines that are left. */
export function findPhones(tokens: readonly Token[]): Found[] {
  const barred = new Set<number>();
  for (let i = 0; i < tokens.length; i++) {
    const end = Math.max(dateEnd(tokens, i), timeEnd(tokens, i));
    for (let k = i; k < end; k++) barred.add(k);
  }
  const isNumber = (i: number): boolean =>
    tokens[i]?.sort === 'digit' && tokens[i].text.length < 16 && !barred.has(i);
  const found: Found[] = [];
  let at = 0;
  while (at < tokens.length) {
    if (!isNumber(at)) {
      at++;
      continue;
    }
    const first = at;
    let last = at;
    for (let next = nextNumber(tokens, last, isNumber); next; next = nextNumber(tokens, last, isNumber))
      last = next;
    at = last + 1;
    found.push(...phonesOf(tokens, first, at));
  }
  return found;
}

/** The token of the next number of a line. */
function nextNumber(
  tokens: readonly Token[],
  last: number,
  isNumber: (i: number) => boolean,
): number | undefined {
  if (tokens[last + 1]?.text === ',' && isNumber(last + 2)) return last + 2;
  for (let i = last + 1; i <= last + 3 && separators.has(tokens[i]?.text ?? 'none'); i++) {
    if (isNumber(i + 1)) return i + 1;
  }
  return undefined;
}

function phonesOf(tokens: readonly Token[], first: number, end: number): Found[] {
  if (tokens[first - 1]?.text !== '+' && areAmounts(tokens, first, end)) return [];
  const found: Found[] = [];
  let start = first;
  for (let i = first; i <= end; i++) {
    if (i < end && tokens[i]!.text !== ',') continue;
    const part = tokens.slice(start, i);
    const digits = part.reduce((sum, { sort, text }) => sum + (sort === 'digit' ? text.length : 0), 0);
    if (digits >= 7) {
      const count = (bracket: string): number => part.filter(({ text }) => text === bracket).length;
      let before = start;
      let brackets = count(')') > count('(') ? 1 : 0;
      let signs = 1;
      for (;;) {
        const text = tokens[before - 1]?.text;
        if (text === '+' && signs-- > 0) before--;
        else if (text === '(' && brackets-- > 0) before--;
        else break;
      }
      found.push({ from: tokens[before]!.from, to: tokens[i - 1]!.to });
    }
    start = i + 1;
  }
  return found;
}

/** Behind the date that starts here, or where it would start. */
function dateEnd(tokens: readonly Token[], i: number): number {
  const [a, b, c, d, e] = tokens.slice(i, i + 5);
  if (!e || [a, c, e].some((token) => token!.sort !== 'digit') || b!.text !== d!.text) return i;
  const joins = (at: number): boolean => ['.', '/', '-'].includes(tokens[at]?.text ?? '');
  if (!joins(i + 1)) return i;
  if (joins(i - 1) && tokens[i - 2]?.sort === 'digit') return i;
  if (joins(i + 5) && tokens[i + 6]?.sort === 'digit') return i;
  const isYear = (text: string): boolean =>
    text.length === 4 && (text[0] === '1' ? text[1] === '9' : text.startsWith('20'));
  const isUpTo = (text: string, most: number): boolean =>
    text.length < 3 && Number(text) > 0 && Number(text) <= most;
  const yearFirst =
    b!.text === '-' &&
    isYear(a!.text) &&
    c!.text.length + e.text.length === 4 &&
    isUpTo(c!.text, 12) &&
    isUpTo(e.text, 31);
  const yearLast = isYear(e.text) && isUpTo(a!.text, 31) && isUpTo(c!.text, 31);
  return yearFirst || yearLast ? i + 5 : i;
}

/** Behind the time that starts here, or where it would start. */
function timeEnd(tokens: readonly Token[], i: number): number {
  const number = (at: number, digits: number, most: number): boolean =>
    tokens[at]?.sort === 'digit' && tokens[at].text.length <= digits && Number(tokens[at].text) <= most;
  const sixtieth = (at: number): boolean => tokens[at]?.text.length === 2 && number(at, 2, 59);
  const colon = (at: number): boolean => tokens[at]?.text === ':';
  if (colon(i - 1) || !number(i, 2, 24) || !colon(i + 1) || !sixtieth(i + 2)) return i;
  if (!colon(i + 3)) return i + 3;
  if (!sixtieth(i + 4) || colon(i + 5)) return i;
  const point = tokens[i + 5]?.text;
  const hasFraction = (point === '.' || point === ',') && number(i + 6, 9, Infinity) && !colon(i + 7);
  return hasFraction ? i + 7 : i + 5;
}

function areAmounts(tokens: readonly Token[], first: number, end: number): boolean {
  let at = first;
  for (;;) {
    const after = amountEnd(tokens, at);
    if (after === undefined || after > end) return false;
    if (after === end) return true;
    at = after;
    while (tokens[at]!.text === ' ' || tokens[at]!.text === '-') at++;
    if (at === after) return false;
  }
}

function amountEnd(tokens: readonly Token[], start: number): number | undefined {
  const text = (at: number): string => tokens[at]?.text ?? '';
  const digits = (at: number): number => (tokens[at]?.sort === 'digit' ? text(at).length : 0);
  if (digits(start) === 0 || (text(start).startsWith('0') && text(start) !== '0')) return undefined;
  let at = start + 1;
  const grouping = text(at);
  while ([' ', '.', ','].includes(grouping) && text(at) === grouping && digits(at + 1) === 3) at += 2;
  const grouped = at > start + 1;
  if (digits(start) > (grouped ? 3 : 9) || (grouped && text(start) === '0')) return undefined;
  const point = text(at);
  if ((point !== '.' && point !== ',') || (grouped && point === grouping)) return undefined;
  const decimals = digits(at + 1);
  return decimals === 1 || decimals === 2 ? at + 2 : undefined;
}
