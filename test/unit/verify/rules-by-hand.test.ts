import { expect, test } from 'vitest';
import { KeyRing } from '../../../verify/key-ring.ts';
import { civilFromDays, daysFromCivil, formatStamp } from '../../../verify/rules/calendar.ts';
import { associatedData, openCiphertext, parseCiphertext } from '../../../verify/rules/ciphertext.ts';
import { coarseText, firstPoints } from '../../../verify/rules/coarse.ts';
import { columnKeyOf, maskOf, pseudonymOf } from '../../../verify/rules/protect.ts';
import { documentIdOf, recordKeyOf } from '../../../verify/rules/record-key.ts';
import { canonicalText } from '../../../verify/rules/source-text.ts';

// Every expected value below was computed with other programs (Python's hmac, cryptography, datetime) or by hand.
const master = Buffer.from('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', 'base64');
const keyId = '00112233-4455-6677-8899-aabbccddeeff';
const storedKey = {
  key_id: keyId,
  generation: '7',
  subject_type: 'person',
  subject_digest: '\\x645c3b1e970351a92dfe3f127e5a845476c3d131518c5d41bc37a85fa53e4b14',
  wrapped:
    '\\x010909090909090909090909099870888d265bee02c82ab53cc1b73bd7f15efa6157b091377524889ec713c4b20c87dd105cddea0d92b390afebe2b286',
};
const storedSecret = {
  name: 'pseudonym',
  wrapped:
    '\\x01080808080808080808080808fe800ea5f0f1c10cee544aebc40030cda1c84286bf66630ae324bc195e1961b8b7c6c5d8e8fae5b67eb4c78dabf46ebc',
};
const encrypted = Buffer.from(
  '0100112233445566778899aabbccddeeff00000007000102030405060708090a0b3044001114e9e23e18968e6c0d0be1c6b8a4aeaaf7ee',
  'hex',
);

test('a mask shows only its ends, and nothing of a short value', () => {
  expect(maskOf('DE89370400440532013000', 2, 4)).toBe('DE****3000');
  expect(maskOf('DE8937', 2, 4)).toBe('****');
  expect(maskOf('', 0, 0)).toBe('****');
  expect(maskOf('secret', 0, 0)).toBe('****');
  expect(maskOf('👩🏽‍🚀 Zoë', 1, 2)).toBe('👩****oë');
});

test('a time made coarse is the start of its period, a number the multiple next towards zero', () => {
  expect(coarseText('date', '1987-05-06', 'year')).toBe('1987-01-01');
  expect(coarseText('date', '0044-03-15 BC', 'month')).toBe('0044-03-01 BC');
  expect(coarseText('timestamp', '2024-12-31 23:59:59.999999', 'day')).toBe('2024-12-31 00:00:00');
  expect(coarseText('timestamptz', '2024-12-31 23:59:59.9+00', 'month')).toBe('2024-12-01 00:00:00+00');
  expect(coarseText('timestamptz', '-infinity', 'month')).toBe('-infinity');
  expect(coarseText('int', '-19', 10)).toBe('-10');
  expect(coarseText('long', '9223372036854775807', 1000)).toBe('9223372036854775000');
  expect(coarseText('decimal', '-0.99', 1)).toBe('0.00');
  expect(coarseText('decimal', '52.520008', 0.01)).toBe('52.520000');
  expect(coarseText('double', '1.5e+22', 1000)).toBe('15000000000000000000000.0');
  expect(coarseText('double', '2.5e-07', 0.01)).toBe('0.00000000');
  expect(coarseText('decimal', 'NaN', 10)).toBe('NaN');
  expect(firstPoints('👩🏽‍🚀 Zoë', 2)).toBe('👩🏽');
});

test('pseudonyms are bound to table and column, or shared by a domain', () => {
  const ring = new KeyRing(master, [storedKey], [storedSecret]);
  const own = columnKeyOf(ring.pseudonymKey, 'hash', 'public.people', 'email', undefined);
  expect(own.toString('hex')).toBe('10868e698b341104c3fca41428bcb1640bff8e4bc2a793abc190fe10971a8495');
  expect(pseudonymOf(own, 'zoë@example.org')).toBe('vkZd39bUNaY0ZszAFw1z7bmHip3EsXh5X13CKqw0pzQ');
  const shared = columnKeyOf(ring.pseudonymKey, 'hash', 'public.people', 'email', 'customer');
  expect(pseudonymOf(shared, '42')).toBe('eiGAo6LBqeLBgOWcyRPrZ3huGgiHhlEK3a93WXdkDBM');
});

test("an encrypted value opens under its subject's key and nowhere else", () => {
  const ring = new KeyRing(master, [storedKey], [storedSecret]);
  const ciphertext = parseCiphertext(encrypted);
  expect(ciphertext).toMatchObject({ keyId, generation: 7 });
  const key = ring.dataKey(ciphertext, 'person', '42');
  const place = associatedData('public.people', 'name', 'person', '42');
  expect(openCiphertext(ciphertext, key, place)).toEqual(Buffer.from('\x0aAlice'));
  for (const elsewhere of [
    associatedData('public.staff', 'name', 'person', '42'),
    associatedData('public.people', 'nick', 'person', '42'),
    associatedData('public.people', 'name', 'person', '43'),
  ]) {
    expect(() => openCiphertext(ciphertext, key, elsewhere)).toThrow('does not open');
  }
  expect(() => ring.dataKey(ciphertext, 'person', '43')).toThrow("another subject's key");
  expect(() => ring.dataKey(ciphertext, 'company', '42')).toThrow("another subject's key");
  expect(() => ring.dataKey({ ...ciphertext, generation: 8 }, 'person', '42')).toThrow('another generation');
  const destroyed = new KeyRing(master, [{ ...storedKey, wrapped: null }], [storedSecret]);
  expect(() => destroyed.dataKey(ciphertext, 'person', '42')).toThrow('destroyed key');
});

test('a flipped bit anywhere in a ciphertext is seen', () => {
  const ring = new KeyRing(master, [storedKey], [storedSecret]);
  const place = associatedData('public.people', 'name', 'person', '42');
  for (let at = 0; at < encrypted.length; at++) {
    const altered = Buffer.from(encrypted);
    altered[at]! ^= 1;
    expect(() => {
      const ciphertext = parseCiphertext(altered);
      openCiphertext(ciphertext, ring.dataKey(ciphertext, 'person', '42'), place);
    }, `byte ${at}`).toThrow();
  }
});

test('a master key of another store opens nothing', () => {
  expect(() => new KeyRing(Buffer.alloc(32, 7), [], [storedSecret])).toThrow('does not open');
});

test('keys are parted without confusion and ids are bounded', () => {
  expect(recordKeyOf(['a|b', 'c'])).toBe('a%7Cb|c');
  expect(recordKeyOf(['a', 'b|c'])).toBe('a|b%7Cc');
  expect(recordKeyOf(['', 'x'])).toBe('%00|x');
  expect(recordKeyOf(['50%\n', '\u007f'])).toBe('50%25%0A|%7F');
  expect(recordKeyOf(['Zoë 👩'])).toBe('Zoë 👩');
  expect(documentIdOf('x'.repeat(512))).toBe('x'.repeat(512));
  expect(documentIdOf('x'.repeat(513))).toBe(
    '%sha256:35ade0090e64e74d6ad04204009c23a4e34b82bdf0f4f317fbcc5f26f9b10241',
  );
  expect(documentIdOf('ë'.repeat(257))).toMatch(/^%sha256:[0-9a-f]{64}$/);
});

test('canonical texts are those the rules name', () => {
  expect(canonicalText('text', ' Ab ')).toBe(' Ab ');
  expect(canonicalText('int', '-7')).toBe('-7');
  expect(canonicalText('decimal', '1.50')).toBe('1.50');
  expect(canonicalText('uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')).toBe(
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  );
  expect(canonicalText('date', '2024-02-29')).toBe('2024-02-29');
  expect(canonicalText('timestamptz', '2024-02-29 23:59:59.5+00')).toBe('2024-02-29T23:59:59.500000Z');
  expect(canonicalText('timestamptz', '2024-03-01 01:29:59.5+01:30')).toBe('2024-02-29T23:59:59.500000Z');
  // As many digits as the column is declared with: seen of Debezium, in snapshots and in the stream.
  expect(canonicalText('timestamptz', '2024-02-29 23:59:59+00', 0)).toBe('2024-02-29T23:59:59Z');
  expect(canonicalText('timestamptz', '2024-02-29 23:59:59.5+00', 3)).toBe('2024-02-29T23:59:59.500Z');
  expect(canonicalText('timestamptz', '0044-03-15 00:00:00+00 BC')).toBe('-0043-03-15T00:00:00.000000Z');
  expect(canonicalText('timestamptz', '10000-01-01 00:00:00+00', 0)).toBe('+10000-01-01T00:00:00Z');
  expect(canonicalText('timestamptz', '-infinity')).toBe('-infinity');
  expect(canonicalText('interval', 'P-1DT-1.5S')).toBe('P0Y0M-1DT0H0M-1.5S');
  expect(canonicalText('interval', 'P1Y2M3DT4H5M6.780S')).toBe('P1Y2M3DT4H5M6.78S');
  expect(canonicalText('interval', 'P-1Y-2M3DT-4H-5M-6S')).toBe('P-1Y-2M3DT-4H-5M-6S');
  expect(canonicalText('interval', 'PT0S')).toBe('P0Y0M0DT0H0M0S');
  expect(canonicalText('timetz', '00:30:00.25+02')).toBe('22:30:00.25Z');
  expect(canonicalText('timetz', '10:15:30+00')).toBe('10:15:30Z');
  expect(() => canonicalText('double', '1')).toThrow('no canonical text');
});

test('days and timestamps reach back before year one', () => {
  expect(daysFromCivil(2024, 2, 29)).toBe(19_782);
  expect(daysFromCivil(1900, 3, 1)).toBe(-25_508);
  expect(daysFromCivil(1, 1, 1)).toBe(-719_162);
  for (const days of [0, -1, 19_782, -719_163, -1_000_000, 2_932_896]) {
    const { year, month, day } = civilFromDays(days);
    expect(daysFromCivil(year, month, day)).toBe(days);
  }
  expect(formatStamp(-999_999n, 6)).toBe('1969-12-31T23:59:59.000001');
  expect(formatStamp(253_402_214_400_000_000n, 'shortest')).toBe('9999-12-31T00:00:00');
});
