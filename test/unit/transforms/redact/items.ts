import * as fc from 'fast-check';
import type { RedactionKind } from '../../../../schemas/redaction.ts';

/** Invented items of each kind. Check digits are worked out here anew: tests share no code with what they test. */

const digits = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((d) => d.join(''));
const letters = (length: number, from = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...Array.from(from)), { minLength: length, maxLength: length })
    .map((l) => l.join(''));
const pick = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values);

/** Groups of these lengths, the last with all that is left. */
function grouped(text: string, lengths: readonly number[], separator: string): string {
  let at = 0;
  const parts = lengths.map((length) => text.slice(at, (at += length)));
  return [...parts, text.slice(at)].filter((part) => part !== '').join(separator);
}

/** The digit that makes the checks come out, found by trying. */
function withDigit(stem: string, isValid: (all: string) => boolean): string | undefined {
  return Array.from('0123456789', (digit) => stem + digit).find(isValid);
}

const luhn = (all: string): boolean =>
  Array.from(all)
    .toReversed()
    .map((digit, i) => Number(digit) * (1 + (i % 2)))
    .reduce((sum, value) => sum + Math.floor(value / 10) + (value % 10), 0) %
    10 ===
  0;

const card = fc
  .tuple(fc.integer({ min: 11, max: 18 }).chain(digits), pick('', ' ', '-'))
  .map(([stem, separator]) => grouped(withDigit(stem, luhn)!, [4, 4, 4, 4], separator));

const remainder = (text: string, divisor: bigint): number =>
  Number(BigInt(text.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))) % divisor);

const iban = fc
  .tuple(
    letters(2),
    fc.array(fc.oneof({ weight: 4, arbitrary: digits(1) }, letters(1)), { minLength: 11, maxLength: 30 }),
    pick('', ' '),
    fc.boolean(),
  )
  .map(([country, bban, separator, isLower]) => {
    const account = bban.join('');
    const check = String(98 - remainder(`${account}${country}00`, 97n)).padStart(2, '0');
    const shown = grouped(country + check + account, [4, 4, 4, 4, 4, 4, 4, 4], separator);
    return isLower ? shown.toLowerCase() : shown;
  });

const spanishLetter = (number: string): string => 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(number) % 23]!;

const steuerId = fc
  .tuple(digits(9), fc.integer({ min: 1, max: 9 }), pick('', ' '))
  .map(([rest, first, sep]) => {
    const stem = `${first}${rest}`;
    let product = 10;
    for (const digit of stem) product = (2 * ((Number(digit) + product) % 10 || 10)) % 11;
    return grouped(`${stem}${(11 - product) % 10}`, [2, 3, 3], sep);
  });

const inscription = fc
  .tuple(
    pick('1', '2', '3', '4', '7', '8'),
    digits(4),
    pick('75', '2A', '2B', '33'),
    digits(6),
    pick('', ' '),
  )
  .map(([sex, born, department, rest, separator]) => {
    const shown = `${sex}${born}${department}${rest}`;
    const key = 97 - remainder(shown.replace('2A', '19').replace('2B', '18'), 97n);
    return grouped(shown + String(key).padStart(2, '0'), [1, 2, 2, 2, 3, 3], separator);
  });

const weighted = (all: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, i) => sum + weight * Number(all[i]), 0);

const citizenService = digits(8)
  .map((stem) => withDigit(stem, (all) => weighted(all, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0))
  .filter((all) => all !== undefined && all !== '000000000')
  .map((all) => all!);

const personal = fc
  .tuple(
    pick('', '19', '20'),
    digits(2),
    fc.integer({ min: 1, max: 12 }),
    fc.oneof(fc.integer({ min: 1, max: 28 }), fc.integer({ min: 61, max: 91 })),
    pick('', '-', '+'),
    digits(3),
  )
  .map(([century, year, month, day, separator, serial]) => {
    const born = `${year}${String(month).padStart(2, '0')}${String(day).padStart(2, '0')}`;
    return `${century}${born}${separator}${withDigit(born + serial, luhn)!.slice(6)}`;
  });

/** Values at odd places: of the digits and of A to J, then of K to Z. */
const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
const codiceFiscale = fc
  .tuple(
    letters(6),
    digits(2),
    letters(1, 'ABCDEHLMPRST'),
    digits(2),
    letters(1),
    fc.oneof(digits(3), letters(3, 'LMNPQRSTUV')),
    pick('', ' '),
  )
  .map(([person, year, month, day, place, number, separator]) => {
    const stem = person + year + month + day + place + number;
    const sum = Array.from(stem, (c, i) => {
      const value = c < 'A' ? Number(c) : c.charCodeAt(0) - 65;
      return i % 2 === 1 ? value : odd[value]!;
    }).reduce((a, b) => a + b, 0);
    return grouped(stem + String.fromCharCode(65 + (sum % 26)), [3, 3, 5, 4], separator);
  });

const nationalId = fc.oneof(
  fc
    .tuple(
      fc.integer({ min: 1, max: 665 }),
      fc.integer({ min: 1, max: 99 }),
      fc.integer({ min: 1, max: 9999 }),
      pick('-', ' '),
    )
    .map(([area, group, serial, separator]) =>
      [String(area).padStart(3, '0'), String(group).padStart(2, '0'), String(serial).padStart(4, '0')].join(
        separator,
      ),
    ),
  fc
    .tuple(letters(2, 'ABCEHJLMPRSWXY'), digits(6), letters(1, 'ABCD'), pick('', ' '))
    .map(([prefix, number, suffix, separator]) => grouped(prefix + number + suffix, [2, 2, 2, 2], separator)),
  steuerId,
  inscription,
  fc.tuple(digits(8), pick('', '-', ' ')).map(([number, sep]) => number + sep + spanishLetter(number)),
  fc
    .tuple(fc.integer({ min: 0, max: 2 }), digits(7), pick('', '-'))
    .map(([lead, number, sep]) => `${'XYZ'[lead]}${sep}${number}${sep}${spanishLetter(`${lead}${number}`)}`),
  codiceFiscale,
  digits(10).map(
    (stem) => withDigit(stem, (all) => weighted(all, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0)!,
  ),
  citizenService,
  personal,
);

const phone = fc
  .tuple(
    pick('', '+', '00', '0'),
    fc.array(fc.integer({ min: 2, max: 4 }).chain(digits), { minLength: 4, maxLength: 4 }),
    pick(' ', '-', '/', ' - ', ') '),
  )
  // A bracket would otherwise close that no bracket opens, and amounts and dates must not come out.
  .map(([lead, groups, separator]) => (separator === ') ' ? `(${lead}` : lead) + groups.join(separator))
  .filter((shown) => !/(?:19|20)\d\d/.test(shown));

const octet = fc.integer({ min: 0, max: 255 });
const ip = fc.oneof(
  fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.')),
  fc.ipV6().filter((v) => v !== '::'),
);

const label = fc
  .array(fc.constantFrom(...Array.from('abcxyz019äßжñ')), { minLength: 1, maxLength: 6 })
  .map((l) => l.join(''));
const email = fc
  .tuple(label, pick('', '.b', '+tag', '_x', "'x", '-y'), label, pick('', '.sub', '-b.more'))
  .map(([user, more, host, sub]) => `${user}${more}@${host}${sub}.example`);

/** Names that the property tests search for. */
export const people = [
  'Zoë Müller-Lüdenscheidt',
  'Ludwig van der Bær',
  "Conor O'Brien",
  'Łukasz Ñandú',
  'J. Ång',
  'Van',
  'Œuvrard Þor',
];
const name = pick(
  'Zoë',
  'ZOE',
  'müller',
  'Zoe Muller',
  'Zoë  Müller-Lüdenscheidt',
  'Bær',
  'O’Brien',
  'lukasz',
  'NANDU',
  'Ång',
);

export const itemsOf: Readonly<Record<RedactionKind, fc.Arbitrary<string>>> = {
  email,
  phone,
  card,
  iban,
  'national-id': nationalId,
  ip,
  name,
};
