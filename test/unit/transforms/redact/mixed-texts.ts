import * as fc from 'fast-check';
import { redactionKinds } from '../../../../schemas/redaction.ts';
import { disguise } from './disguise.ts';
import { itemsOf } from './items.ts';

/** A small change to an item, after which it may be one no more. */
const spoilt = fc
  .tuple(
    fc.constantFrom(...redactionKinds).chain((kind) => itemsOf[kind]),
    fc.nat(),
    fc.constantFrom('', '0', '7', 'a', 'X', '.', ' ', '-', ':', '@', ',', '  ', '\n', '\u0301', 'ö'),
    fc.integer({ min: 0, max: 2 }),
  )
  .map(([item, at, instead, length]) => {
    const index = at % (item.length + 1);
    return item.slice(0, index) + instead + item.slice(index + length);
  });

const numbers = fc.oneof(
  fc.integer({ min: 0, max: 99_999_999 }).map(String),
  fc.constantFrom('2024-12-31', '1999-1-1', '31.12.2024', '1/2/1985', '12-12-12', '2024-12-31T10:15:00Z'),
  fc.constantFrom('10:15', '23:59:59', '24:00:00.123', '7:05', '10:15:00,1234567890', '1:2:3', '10:60'),
  fc.constantFrom('12.50', '1.234,56', '1.234.567,89', '12 345 678,90', '1,234,567.8', '0,5', '05.10', '0.1'),
  fc.constantFrom(
    '1.2.3.4.5',
    '256.1.1.1',
    '01.02.03.004',
    '1.2.3',
    '::',
    ':::1',
    '1::2::3',
    'fe80::%1',
    'bad:',
  ),
);
const joints = (signs: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...Array.from(signs)) },
    fc.array(fc.constantFrom(...Array.from(signs)), { maxLength: 4 }).map((several) => several.join('')),
  );
const joined = (parts: fc.Arbitrary<string>, signs: string): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(parts, joints(signs)), { minLength: 2, maxLength: 5 })
    .map((pairs) => pairs.flat().join(''));

/** Dates, times, amounts and numbers side by side. */
const lists = fc.oneof(joined(numbers, ' -./(),:+T'), joined(numbers, ' -'), joined(numbers, '.:'));

const upTo = (max: number, digits: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map((n) => String(n).padStart(digits, '0'));
/** National IDs with parts at and beyond their bounds. */
const nearIds = fc.oneof(
  fc.constantFrom(
    '000000000',
    '0000.00.000',
    '00000000000',
    '000000000000',
    'BA 12 34 56 A',
    'AO123456A',
    'AB123456E',
  ),
  fc
    .constantFrom('BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ', 'AA', 'DA', 'AO')
    .map((prefix) => `${prefix}123456C`),
  fc
    .tuple(fc.constantFrom('000', '666', '899', '900', '665'), upTo(1, 2), upTo(1, 4))
    .map((parts) => parts.join('-')),
  fc
    .tuple(
      fc.constantFrom('', '17', '18', '19', '20', '21'),
      fc.constantFrom('00', '01', '12', '13'),
      fc.constantFrom('00', '01', '31', '32', '60', '61', '69', '70', '89', '91', '92'),
      upTo(9999, 4),
    )
    .map(([century, month, day, last]) => `${century}85${month}${day}-${last}`),
);

const fullNames = joined(
  fc.constantFrom(
    'zoë',
    'Müller',
    'Lüdenscheidt',
    'Ludwig',
    'van',
    'der',
    'BÆR',
    'baer',
    'O',
    'Brien',
    'J',
    'Ång',
    'oeuvrard',
    'THOR',
  ),
  " .,-_'’‘`´\n",
);

const noise = fc.oneof(
  fc.constantFrom(...Array.from(" .,:;-+()/@_[]'’\n\t\u00A0\u200B\u00AD\u2011．＠")),
  fc.constantFrom(...Array.from('aZéßøİıſKſǅΣς\u0301\u0308中가٣７𝟕𝒜²½')),
  fc.constantFrom('[phone]', '[name]', '[na\u200Bme]', '[card', '\uFFFC', '\uD83D', '😀', '\uDE00'),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.constantFrom('wrote', 'für', 'Kunde', 'ждёт'),
  fc.constantFrom('der', 'van', 'O', 'Ludwig', 'Müller', 'lu\u0308denscheidt', 'DE', 'GB29', 'X', 'RSSMRA'),
);
const item = fc.constantFrom(...redactionKinds).chain((kind) => itemsOf[kind]);
/** Fragments of all kinds, what nearly is one, and noise, in any order. */
export const mixed = fc
  .array(
    fc.oneof(
      item,
      spoilt,
      numbers,
      lists,
      nearIds,
      fullNames,
      { weight: 4, arbitrary: noise },
      fc.tuple(item, disguise).map(([shown, change]) => change(shown)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
