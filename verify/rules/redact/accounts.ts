import { type Found, type Glyph, isAsciiLetter, isDigit, isEdge, type Token } from './glyphs.ts';

/** Card numbers: groups of digits, one space or hyphen apart. */
export function findCards(tokens: readonly Token[]): Found[] {
  return tokens.flatMap((token, first) => {
    const found: Found[] = [];
    let digits = '';
    for (let at = first; tokens[at]?.sort === 'digit'; at += 2) {
      digits += tokens[at]!.text;
      if (digits.length > 19) break;
      if (digits.length > 11 && passesLuhn(digits)) found.push({ from: token.from, to: tokens[at]!.to });
      if (tokens[at + 1]?.text !== ' ' && tokens[at + 1]?.text !== '-') break;
    }
    return found;
  });
}

/** Every second digit from the right but one counts as the digit sum of its double. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  let doubled = digits.length % 2 === 0;
  for (const digit of digits) {
    sum += Number(doubled ? '0246813579'[Number(digit)] : digit);
    doubled = !doubled;
  }
  return sum % 10 === 0;
}

export function findIbans(glyphs: readonly Glyph[], tokens: readonly Token[]): Found[] {
  return tokens.flatMap(({ sort, text, from }, i) => {
    const isStart =
      sort === 'letter' &&
      text.length === 2 &&
      Array.from(text).every(isAsciiLetter) &&
      isDigit(glyphs[from + 3]?.char);
    if (!isStart || tokens[i + 1]?.sort !== 'digit') return [];
    return [...endsOf(glyphs, from, false), ...endsOf(glyphs, from, true)].map((to) => ({ from, to }));
  });
}

/** Where an IBAN that starts here may end; with a space after every four characters or without any. */
function endsOf(glyphs: readonly Glyph[], from: number, spaced: boolean): number[] {
  const ends: number[] = [];
  let iban = '';
  let at = from;
  while (iban.length < 34) {
    if (spaced && iban !== '' && iban.length % 4 === 0 && glyphs[at++]?.char !== ' ') break;
    const char = glyphs[at]?.char;
    if (!isAsciiLetter(char) && !isDigit(char)) break;
    iban += char!;
    at++;
    if (iban.length > 14 && isEdge(glyphs, at) && remainder97(iban) === 1n) ends.push(at);
  }
  return ends;
}

function remainder97(iban: string): bigint {
  let number = '';
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    number += isDigit(char) ? char : String(char.charCodeAt(0) - 55);
  }
  return BigInt(number) % 97n;
}
