import { describe, expect, it } from 'vitest';
import { redactionKinds } from '../../../../schemas/redaction.ts';
import { redactText } from '../../../../transforms/redact/redact-text.ts';

const length = 100_000;
const all = new Set(redactionKinds);
const names = ['Zoë Zoë Zoë Zoë Zoë Zoë Müller', 'a a a a a a a a a b'];

/** Each is repeated up to the length: rows that nearly are an item, and never end or never come out. */
const repeated = [
  'a',
  'A.',
  'a-',
  '@',
  'a@',
  'a@b.',
  'a@b.example',
  '.@',
  '0',
  '1 ',
  '1-',
  '1.',
  '1,',
  '1:',
  '1 2.34 ',
  '1 234',
  ' 234',
  '1.234',
  '10:15:',
  '2024-12-31',
  '2024-12-31-',
  '(',
  '+(',
  ')1(',
  '4111 ',
  '4111111111111111',
  'DE89',
  'DE89 ',
  'AB12 3456 ',
  ':',
  '::',
  '::1',
  'a:',
  'ab:',
  '1::1.2.3.4.',
  'abcdef',
  'RSSMRA85T10A562S ',
  'RSSMRA85',
  'zoë ',
  'zoë-',
  'zoe zoe zoe müller',
  'e\u0301',
  '\u0301',
  '\u00AD',
  '٣',
  '𝟕',
  '[name]',
  '[name',
  '[',
  '\uD83D',
  '123-45-6789 ',
  '1Zoë',
  '4111 1111 1111 1111 127.0.0.1 2024-12-31 zoë a@b.example ',
];
const ends = ['', '!', 'z@b.example'];

describe('redaction of long texts', { timeout: 120_000 }, () => {
  it.each(repeated)('takes no time that explodes with %j', (piece) => {
    const body = piece.repeat(Math.ceil(length / piece.length));
    for (const end of ends) {
      const result = redactText(body + end, all, names);
      expect(redactText(result, all, names)).toBe(result);
    }
  });

  it('takes no time that explodes with a long name', () => {
    const name = 'zoë '.repeat(length / 4);
    expect(redactText(`${name}x`, all, [name])).toBe(`${'[name] '.repeat(length / 4)}x`);
  });
});
