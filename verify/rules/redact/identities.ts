import { passesLuhn } from './accounts.ts';
import { type Found, type Glyph, isAsciiLetter, isDigit, isEdge } from './glyphs.ts';

/**
 * Forms of national IDs, and whether the letters and digits of one are valid. `9` is a digit, `A` a letter, `#` a digit
 * or a letter that may stand for one, `~` a digit or A or B, `{…}` one of these or nothing; all else is itself.
 */
const forms: readonly (readonly [form: string, isValid: (id: string) => boolean])[] = [
  ['999-99-9999', isSocialSecurity],
  ['999 99 9999', isSocialSecurity],
  ['AA{ }99{ }99{ }99{ }A', isNationalInsurance],
  ['99{ }999{ }999{ }999', isSteuerId],
  ['9{ }99{ }99{ }9~{ }999{ }999{ }99', isInscription],
  ['99{.}999{.}999{- }A', (id) => hasSpanishLetter(id)],
  [
    'A{- }9999999{- }A',
    (id) => 'XYZ'.includes(id[0]!) && hasSpanishLetter('XYZ'.indexOf(id[0]!) + id.slice(1)),
  ],
  ['AAA{ }AAA{ }##A##{ }A###{ }A', isCodiceFiscale],
  ['99999999999', isPesel],
  ['9999{. }99{. }999', isCitizenService],
  ['999999{-+}9999', isPersonal],
  ['99999999{-+}9999', (id) => ['18', '19', '20'].includes(id.slice(0, 2)) && isPersonal(id.slice(2))],
];

export function findIdentities(glyphs: readonly Glyph[]): Found[] {
  const found: Found[] = [];
  for (let from = 0; from < glyphs.length; from++) {
    if (glyphs[from]!.sort === 'other' || !isEdge(glyphs, from)) continue;
    for (const [form, isValid] of forms) {
      const to = formEnd(glyphs, from, form);
      if (to === undefined || !isEdge(glyphs, to)) continue;
      const id = glyphs.slice(from, to).filter(({ sort }) => sort !== 'other');
      if (isValid(id.map(({ char }) => char).join(''))) found.push({ from, to });
    }
  }
  return found;
}

function formEnd(glyphs: readonly Glyph[], from: number, form: string): number | undefined {
  let at = from;
  for (let i = 0; i < form.length; i++) {
    const char = glyphs[at]?.char;
    if (char === undefined) return undefined;
    if (form[i] === '{') {
      const close = form.indexOf('}', i);
      if (form.slice(i + 1, close).includes(char)) at++;
      i = close;
    } else if (fits(char, form[i]!)) {
      at++;
    } else {
      return undefined;
    }
  }
  return at;
}

function fits(char: string, sign: string): boolean {
  if (sign === '9') return isDigit(char);
  if (sign === 'A') return isAsciiLetter(char);
  if (sign === '#') return isDigit(char) || 'LMNPQRSTUV'.includes(char);
  if (sign === '~') return isDigit(char) || char === 'A' || char === 'B';
  return char === sign;
}

/** Whether the weighted digits and what is left over by a divisor agree with the last digit. */
function weighted(id: string, weights: readonly number[]): number {
  let sum = 0;
  for (const [i, weight] of weights.entries()) sum += Number(id[i]) * weight;
  return sum;
}

function isSocialSecurity(id: string): boolean {
  const area = Number(id.slice(0, 3));
  return area > 0 && area < 900 && area !== 666 && id.slice(3, 5) !== '00' && Number(id.slice(5)) > 0;
}

function isNationalInsurance(id: string): boolean {
  const [first, second] = [id[0]!, id[1]!];
  if ('DFIQUV'.includes(first) || 'DFIOQUV'.includes(second) || !'ABCD'.includes(id[8]!)) return false;
  return !['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ'].includes(first + second);
}

function isSteuerId(id: string): boolean {
  let product = 10;
  for (const digit of id.slice(0, 10)) product = (((product + Number(digit)) % 10 || 10) * 2) % 11;
  return id[0] !== '0' && (product + Number(id[10])) % 10 === 1;
}

function isInscription(id: string): boolean {
  const corsica = id[6] === 'A' ? 19n : id[6] === 'B' ? 18n : undefined;
  if (!'123478'.includes(id[0]!) || (corsica !== undefined && id[5] !== '2')) return false;
  const department = corsica ?? BigInt(id.slice(5, 7));
  const number = BigInt(id.slice(0, 5)) * 100_000_000n + department * 1_000_000n + BigInt(id.slice(7, 13));
  const key = BigInt(id.slice(13));
  return key > 0n && key < 98n && (number + key) % 97n === 0n;
}

function hasSpanishLetter(id: string): boolean {
  return Number(id.slice(0, 8)) % 23 === 'TRWAGMYFPDXBNJZSQVHLCKE'.indexOf(id[8]!);
}

function isCodiceFiscale(id: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const letter = isDigit(id[i]) ? 'ABCDEFGHIJ'[Number(id[i])]! : id[i]!;
    sum += (i % 2 === 0 ? 'BAKPLCQDREVOSFTGUHMINJWZYX' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ').indexOf(letter);
  }
  return 'ABCDEHLMPRST'.includes(id[8]!) && id[15] === String.fromCharCode(65 + (sum % 26));
}

function isPesel(id: string): boolean {
  return (10 - (weighted(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(id[10]);
}

function isCitizenService(id: string): boolean {
  return Number(id) > 0 && weighted(id, [9, 8, 7, 6, 5, 4, 3, 2]) % 11 === Number(id[8]);
}

function isPersonal(id: string): boolean {
  const month = Number(id.slice(2, 4));
  const day = Number(id.slice(4, 6));
  const isDay = (day > 0 && day < 32) || (day > 60 && day < 92);
  return month > 0 && month < 13 && isDay && passesLuhn(id);
}
