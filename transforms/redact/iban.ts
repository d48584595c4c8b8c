import { isEdge, type Span } from './span.ts';

const start = /(?<![\p{L}\p{M}])(?=[A-Z]{2}\d\d)/gu;
const forms: readonly RegExp[] = [/[A-Z\d]{15,34}/y, /[A-Z\d]{4}(?: [A-Z\d]{4}){0,7}(?: [A-Z\d]{1,3})?/y];
const shortest = 15;
const longest = 34;

/** International bank account numbers (ISO 13616-1) of any country, in a row or in groups of four. */
export function ibanSpans(plain: string): Span[] {
  return [...plain.matchAll(start)].flatMap(({ index: from }) =>
    forms.flatMap((form) => endsOf(plain, from, form).map((to) => ({ from, to, kind: 'iban' as const }))),
  );
}

/**
 * Everywhere an IBAN of this form may end: ISO/IEC 7064 mod 97-10, as ISO 13616-1 has it, over the account and then the
 * first four characters. The account's remainder goes on from one end to the next.
 */
function endsOf(plain: string, from: number, form: RegExp): number[] {
  form.lastIndex = from;
  const shown = form.exec(plain)?.[0] ?? '';
  const ends: number[] = [];
  let account = 0;
  let length = 4;
  for (let i = length; i < shown.length && length < longest; i++) {
    if (shown[i] === ' ') continue;
    account = append(account, shown[i]!);
    length++;
    const to = from + i + 1;
    if (length < shortest || remainder(account, shown) !== 1 || !isEdge(plain, to)) continue;
    ends.push(to);
  }
  return ends;
}

function remainder(account: number, iban: string): number {
  let rest = account;
  for (let i = 0; i < 4; i++) rest = append(rest, iban[i]!);
  return rest;
}

/** The remainder by 97 with one more character behind: a digit, or a letter as 10 to 35. */
function append(rest: number, character: string): number {
  const value = Number.parseInt(character, 36);
  return (rest * (value > 9 ? 100 : 10) + value) % 97;
}
