import { describe, expect, it } from 'vitest';
import { type RedactionKind, redactionKinds } from '../../../../schemas/redaction.ts';
import { redactText } from '../../../../transforms/redact/redact-text.ts';
import { redactedText } from '../../../../verify/rules/redact.ts';

type Examples = readonly (readonly [text: string, redacted: string])[];

const examples: Readonly<Record<RedactionKind, Examples>> = {
  email: [
    ['write to a@b.example.', 'write to [email].'],
    ['<zoe.m+news@mail.shop.example>, thanks', '<[email]>, thanks'],
    ['mailto:zoë@bücher.example?x', 'mailto:[email]?x'],
    ["'o'neil_1@b.example'", "'[email]'"],
    ['用户@例子.测试 and ｚ＠ｂ.example', '[email] and [email]'],
    ['a@b.example@c.example', '[email]'],
    ['a@b.example-', '[email]-'],
    ['x@1.b.example.5', '[email].5'],
  ],
  phone: [
    ['+49 30 1234567', '[phone]'],
    ['call 0049301234567!', 'call [phone]!'],
    ['030/123 45 67', '[phone]'],
    ['(212) 555-0134', '[phone]'],
    ['(030 1234567)', '([phone])'],
    ['+(49) 30 1234567 or (+49) 30 1234567', '[phone] or [phone]'],
    ['07911 123456', '[phone]'],
    ['+49 (0) 30 / 123-45-67.', '[phone].'],
    ['tel0301234567x', 'tel[phone]x'],
    ['1234567,7654321', '[phone],[phone]'],
    ['0301234567,12', '[phone],12'],
    ['+1234567,12', '[phone],12'],
    ['٠٣٠ ١٢٣٤٥٦٧', '[phone]'],
    ['０３０－１２３４５６７', '[phone]'],
    ['030\u00A0123\u201145\u200B67', '[phone]'],
    ['030 1234567 0171 7654321', '[phone]'],
    ['since 2024-12-31 10:15 030 1234567', 'since 2024-12-31 10:15 [phone]'],
    ['12345678901234567 030 1234567', '12345678901234567 [phone]'],
    ['1.234.567', '[phone]'],
  ],
  card: [
    ['4111 1111 1111 1111', '[card]'],
    ['4111-1111-1111-1111, 378282246310005', '[card], [card]'],
    ['4111111111111111 123', '[card] 123'],
    ['x4111111111111111y', 'x[card]y'],
    ['4111 1111\u00AD1111\u00A01111', '[card]'],
  ],
  iban: [
    ['DE89370400440532013000', '[iban]'],
    ['to de89 3704 0044 0532 0130 00 please', 'to [iban] please'],
    ['gb29nwbk60161331926819.', '[iban].'],
    ['GB29 NWBK 6016 1331 9268 19', '[iban]'],
    ['DE89370400440532013000EUR', '[iban]EUR'],
  ],
  'national-id': [
    ['SSN 123-45-6789, 123 45 6789', 'SSN [national-id], [national-id]'],
    ['AB123456C, ab 12 34 56 c', '[national-id], [national-id]'],
    ['86095742719; 86 095 742 719', '[national-id]; [national-id]'],
    ['1 85 05 78 006 084 91', '[national-id]'],
    ['185057800608491', '[national-id]'],
    [
      '12345678Z, 12.345.678-Z, X1234567L, x-1234567-l',
      '[national-id], [national-id], [national-id], [national-id]',
    ],
    ['RSSMRA85T10A562S, rss mra 85t10 a562 s', '[national-id], [national-id]'],
    ['44051401359', '[national-id]'],
    ['111222333, 1112.22.333', '[national-id], [national-id]'],
    ['811228-9874, 19811228-9874, 8112289874', '[national-id], [national-id], [national-id]'],
    ['701063-2391', '[national-id]'],
  ],
  ip: [
    ['from 192.168.0.1:8080', 'from [ip]:8080'],
    ['at 10.0.0.255.', 'at [ip].'],
    ['[2001:db8::1]:443, ::1', '[[ip]]:443, [ip]'],
    ['fe80::1%eth0: up', '[ip]%eth0: up'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '[ip]'],
    ['::ffff:192.0.2.7', '[ip]'],
    ['::ffff:192.0.2.700', '[ip].0.2.700'],
  ],
  name: [
    ['Zoë Müller-Lüdenscheidt called', '[name] called'],
    ["zoe's friend", "[name]'s friend"],
    ['Mu\u0308ller, ZOE\u0308!', '[name], [name]!'],
    ['Z\u200Boë2', '[name]2'],
    ['Müller-Lüdenscheidt', '[name]'],
    ['lives with Ludwig van der Bær', 'lives with [name]'],
    ['Baer, BAER and Bær', '[name], [name] and [name]'],
    ['O’Brien, O Brien', '[name], [name]'],
    ['STRASSER', '[name]'],
    ['Le', '[name]'],
  ],
};

const untouched: Readonly<Record<RedactionKind, readonly string[]>> = {
  email: [
    'a@b',
    'at @name',
    'a at b.example',
    '@b.example',
    '!@b.example',
    'a@b.c',
    'a@-b.example',
    'a@1.2.3.4',
  ],
  phone: [
    'on 2024-12-31',
    '2024-12-31T10:15:00Z to 2025-01-01 23:59:59.123456',
    '31.12.2024, 1/2/2024',
    'order 123456',
    '1.234,56 and 1.234.567,89',
    '12345.67 1234567,89 1 234 567,89 1,234,567.89',
    '10.00-12.50',
    '12.50 13.50 14.50',
    'row 12345678901234567890',
    '123456\n7',
  ],
  card: ['4111 1111 1111 1112', '4111  1111 1111 1111', '14111111111111111', '4111.1111.1111.1111'],
  iban: [
    'DE88370400440532013000',
    'XDE89370400440532013000',
    'DE89-3704-0044-0532-0130-00',
    'DE89 370400440532013000',
  ],
  'national-id': [
    '000-45-6789 666-45-6789 900-45-6789 123-00-6789 123-45-0000 123-45 6789',
    'BG123456C DA123456C AB123456E AB1234567C',
    '86095742718 06095742710',
    '185057800608490 985057800608491',
    '12345678A X1234567A',
    'RSSMRA85T10A562T',
    '44051401358',
    '111222334 000000000',
    '811228-9875 811328-9874 811292-9874',
  ],
  ip: [
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3',
    'std::cout',
    '10:15:00',
    'aa:bb:cc:dd:ee:ff',
    '1:2:3:4:5:6:7:8:9',
    'g::h',
  ],
  name: ['Zoes', 'van der', 'J', 'Mull', 'xZoëx', 'Card', '[name] [card]'],
};

const names = [
  'Zoë Müller-Lüdenscheidt',
  'Ludwig van der Bær',
  "Conor O'Brien",
  'Straßer',
  'J',
  'Le',
  '[card]',
];

describe.each([
  ['engine', redactText],
  ['oracle', redactedText],
] as const)('%s', (_who, redact) => {
  const found = redactionKinds.flatMap((kind) =>
    examples[kind].map((example) => [kind, ...example] as const),
  );
  it.each(found)('finds what is an item of kind %s: %s', (kind, text, redacted) => {
    expect(redact(text, new Set([kind]), names)).toBe(redacted);
  });

  const passing = redactionKinds.flatMap((kind) => untouched[kind].map((text) => [kind, text] as const));
  it.each(passing)('leaves what is no item of kind %s: %s', (kind, text) => {
    expect(redact(text, new Set([kind]), names)).toBe(text);
  });

  const all = new Set(redactionKinds);
  const together: Examples = [
    ['4111 1111 1111 1111 and 192.168.0.1', '[card] and [ip]'],
    ['zoe.brien@b.example, 0301234567', '[email], [phone]'],
    ['DE89 3704 0044 0532 0130 00', '[iban]'],
    ['123-45-6789', '[national-id]'],
    ['[phone] 1234567 [name]', '[phone] [phone] [name]'],
    ['😀 Zoë 😀 𝟎𝟑𝟎𝟏𝟐𝟑𝟒𝟓 \uD800', '😀 [name] 😀 [phone] \uD800'],
  ];
  it.each(together)('labels by the narrowest kind: %s', (text, redacted) => {
    expect(redact(text, all, names)).toBe(redacted);
  });

  it('finds a name that is the word of a placeholder, and leaves placeholders', () => {
    expect(redact('Card Name [card] [name]', new Set(['name']), ['Card Name'])).toBe('[name] [card] [name]');
  });

  it('finds nothing that is not asked for', () => {
    const text = 'a@b.example 0301234567 Zoë';
    expect(redact(text, new Set(), names)).toBe(text);
    expect(redact(text, new Set(['name']), [])).toBe(text);
  });
});
