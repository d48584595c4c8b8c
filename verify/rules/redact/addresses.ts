import { type Found, type Glyph, isDigit, type Token } from './glyphs.ts';

const localSigns = new Set("!#$%&'*+/=?^_`{|}~.-");

/** From every `@` to the left and to the right. */
export function findEmails(glyphs: readonly Glyph[]): Found[] {
  return glyphs.flatMap(({ char }, at) => {
    if (char !== '@') return [];
    let from = at;
    for (let i = at - 1; i >= 0; i--) {
      const { sort, char: sign } = glyphs[i]!;
      if (sort !== 'other') from = i;
      else if (!localSigns.has(sign)) break;
    }
    const to = domainEnd(glyphs, at + 1);
    return from < at && to !== undefined ? [{ from, to }] : [];
  });
}

/** The end of the longest domain that starts here. */
function domainEnd(glyphs: readonly Glyph[], start: number): number | undefined {
  let end: number | undefined;
  let labels = 0;
  let at = start;
  for (;;) {
    const first = at;
    let afterLast = at;
    while (glyphs[at] && (glyphs[at]!.sort !== 'other' || glyphs[at]!.char === '-')) {
      if (glyphs[at]!.char !== '-') afterLast = at + 1;
      at++;
    }
    if (at === first || glyphs[first]!.char === '-') return end;
    const starter = glyphs[first]!.char;
    if (labels > 0 && /\p{L}/u.test(starter) && afterLast - first > 1) end = afterLast;
    if (afterLast !== at || glyphs[at]?.char !== '.') return end;
    labels++;
    at++;
  }
}

export function findAddresses(tokens: readonly Token[]): Found[] {
  return [...version4(tokens), ...version6(tokens)];
}

function version4(tokens: readonly Token[]): Found[] {
  return tokens.flatMap((token, i) => {
    const end = i + 7;
    if (end > tokens.length || continues(tokens, i - 1, -1) || continues(tokens, end, 1)) return [];
    for (let k = 0; k < 7; k++) {
      const { sort, text } = tokens[i + k]!;
      if (k % 2 === 1 ? text !== '.' : sort !== 'digit' || text.length > 3 || Number(text) > 255) return [];
    }
    return [{ from: token.from, to: tokens[end - 1]!.to }];
  });
}

/** Whether a dot and then, going on in that direction, a number stand there. */
function continues(tokens: readonly Token[], at: number, step: number): boolean {
  return tokens[at]?.text === '.' && tokens[at + step]?.sort === 'digit';
}

function version6(tokens: readonly Token[]): Found[] {
  const found: Found[] = [];
  let at = 0;
  while (at < tokens.length) {
    let first = at;
    while (at < tokens.length && isHexOrColon(tokens[at]!)) at++;
    if (first === at) {
      at++;
      continue;
    }
    let end = at;
    const isColon = (i: number): boolean => i >= first && i < end && tokens[i]!.text === ':';
    if (isColon(first) && !isColon(first + 1)) first++;
    if (isColon(end - 1) && !isColon(end - 2)) end--;
    if (tokens.slice(first, end).every(({ text }) => text === ':')) continue;
    const withTail = end === at && tokens[end - 1]!.sort === 'digit' ? tailEnd(tokens, end) : end;
    const best = [withTail, end].find((to) => isVersion6(textOf(tokens, first, to)));
    if (best !== undefined) found.push({ from: tokens[first]!.from, to: tokens[best - 1]!.to });
  }
  return found;
}

function isHexOrColon({ sort, text }: Token): boolean {
  return sort === 'digit' || text === ':' || (sort === 'letter' && /^[ABCDEF]+$/.test(text));
}

function tailEnd(tokens: readonly Token[], start: number): number {
  const isTail = [0, 2, 4].every((k) => {
    const number = tokens[start + k + 1];
    return tokens[start + k]?.text === '.' && number?.sort === 'digit' && number.text.length <= 3;
  });
  return isTail && !continues(tokens, start + 6, 1) ? start + 6 : start;
}

function textOf(tokens: readonly Token[], from: number, to: number): string {
  return tokens
    .slice(from, to)
    .map(({ text }) => text)
    .join('');
}

/** RFC 4291, section 2.2: eight groups, or fewer and one `::`; a dotted quad without leading zeros may end them. */
function isVersion6(address: string): boolean {
  const groups = address.split(':');
  const quad = groups.at(-1)!.split('.');
  if (quad.length > 1) {
    const isQuad =
      quad.length === 4 &&
      quad.every((part) => part !== '' && Array.from(part).every(isDigit) && String(Number(part)) === part) &&
      quad.every((part) => Number(part) < 256);
    if (!isQuad) return false;
    groups.splice(-1, 1, '0', '0');
  }
  const halves = groups.join(':').split('::');
  const parts = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (!parts.flat().every((part) => part.length > 0 && part.length < 5)) return false;
  const count = parts.flat().length;
  return halves.length === 2 ? count < 8 : halves.length === 1 && count === 8;
}
