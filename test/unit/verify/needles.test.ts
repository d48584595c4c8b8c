import { expect, test } from 'vitest';
import type { Canary } from '../../../verify/canary.ts';
import { Matcher } from '../../../verify/matcher.ts';
import { needlesOf } from '../../../verify/needles.ts';
import { Search } from '../../../verify/scan.ts';

const value = 'Zoë "Q7/canary"\t+49 30';
const canary: Canary = { table: 'public.t', column: 'c', action: 'encrypt', bytes: [Buffer.from(value)] };

function formsFoundIn(bytes: Buffer, canaries: Canary[] = [canary]): string[] {
  const needles = needlesOf(canaries);
  const search = new Search('test', needles, new Matcher(needles.map((needle) => needle.bytes)));
  search.bytes('here', bytes);
  return [...new Set(search.report().findings.map((finding) => finding.form))];
}

test.each([
  ['plain', Buffer.from(value)],
  ['hex', Buffer.from(Buffer.from(value).toString('hex'))],
  ['hex', Buffer.from(Buffer.from(value).toString('hex').toUpperCase())],
  ['json', Buffer.from(JSON.stringify(value))],
  ['json', Buffer.from('"Zo\\u00eb \\"Q7/canary\\"\\t+49 30"')],
  ['json', Buffer.from('"Zo\\u00EB \\"Q7/canary\\"\\t+49 30"')],
  ['json', Buffer.from(JSON.stringify({ config: JSON.stringify({ note: value }) }))],
  ['json', Buffer.from('"Zoë \\"Q7\\/canary\\"\\t+49 30"')],
  ['url', Buffer.from(encodeURIComponent(value))],
  ['url', Buffer.from(new URLSearchParams({ q: value }).toString())],
  ['utf-16', Buffer.from(value, 'utf16le')],
  ['utf-16', Buffer.from(value, 'utf16le').swap16()],
  ['latin-1', Buffer.from(value, 'latin1')],
  ['lower case', Buffer.from(value.toLowerCase())],
])('%s', (form, bytes) => {
  const around = Buffer.concat([Buffer.from('before '), bytes, Buffer.from(' after')]);
  expect(formsFoundIn(around)).toContain(form);
});

test('base64 is found at each of the three places that a run can start in, in both alphabets', () => {
  // 0xfb 0xff gives + and /, which the two alphabets write differently.
  const binary: Canary = { ...canary, bytes: [Buffer.from('fbfffefbfffefbfffe01', 'hex')] };
  for (const before of [0, 1, 2, 3, 4, 5]) {
    for (const after of [0, 1, 2]) {
      const whole = (middle: Buffer): Buffer =>
        Buffer.concat([Buffer.alloc(before, 0xa5), middle, Buffer.alloc(after, 0x5a)]);
      for (const one of [canary, binary]) {
        const bytes = whole(Buffer.from(one.bytes[0]!));
        expect(formsFoundIn(Buffer.from(bytes.toString('base64')), [one])).toEqual(['base64']);
        expect(formsFoundIn(Buffer.from(bytes.toString('base64url')), [one])).toEqual(['base64']);
      }
    }
  }
});

test('every canary that shares a value is named', () => {
  const needles = needlesOf([canary, { ...canary, column: 'd' }]);
  const search = new Search('test', needles, new Matcher(needles.map((needle) => needle.bytes)));
  search.bytes('here', Buffer.from(`x${value}`));
  expect(search.report().findings).toEqual([
    {
      place: 'test',
      where: 'here',
      offset: 1,
      table: 'public.t',
      column: 'd',
      action: 'encrypt',
      form: 'plain',
    },
    {
      place: 'test',
      where: 'here',
      offset: 1,
      table: 'public.t',
      column: 'c',
      action: 'encrypt',
      form: 'plain',
    },
  ]);
});

test('what is too short to be unlike anything else is refused, by name', () => {
  expect(() => needlesOf([{ ...canary, bytes: [Buffer.from('12345')] }])).toThrow(
    'a canary of public.t.c is shorter than 6 bytes',
  );
});

test('what is close to a canary is none', () => {
  expect(formsFoundIn(Buffer.from(value.slice(1)))).toEqual([]);
  expect(formsFoundIn(Buffer.from(value.replace('Q7', 'Q8')))).toEqual([]);
});
