import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { localEpochOpener } from '../../../verify/epoch-opener.ts';
import { KeyRing, type StoredKeys } from '../../../verify/key-ring.ts';
import { civilFromDays, daysFromCivil, formatStamp } from '../../../verify/rules/calendar.ts';
import { associatedData, openCiphertext, parseCiphertext } from '../../../verify/rules/ciphertext.ts';
import { coarseText, firstPoints } from '../../../verify/rules/coarse.ts';
import { keyedSubkey, maskOf, prefixed, pseudonymOf } from '../../../verify/rules/protect.ts';
import { documentIdOf, recordKeyOf } from '../../../verify/rules/record-key.ts';
import { canonicalText } from '../../../verify/rules/source-text.ts';

// Every expected value below was computed with other programs (Python's hmac, cryptography, datetime) or by hand.
const keyId = '00112233-4455-6677-8899-aabbccddeeff';
const storedKey = {
  key_id: keyId,
  generation: '7',
  wrapped:
    '\\x0200000003090909090909090909090909c269794af6ee32d5a0784188dae7cabe4863ae5f2b7731c46286131ae246fa36fa071cc4a18e8e9cc1c6f98f12708e81d7076d05941cc43c55b0c555b4123d24ad93799a46fae5d94826da5cc4f86d70',
};
const storedKeys: StoredKeys = {
  epochs: new Map([['3', Buffer.from(Array.from({ length: 32 }, (_, i) => i))]]),
  secrets: [
    {
      name: 'shared',
      wrapped:
        '\\x02000000030808080808080808080808087b128987bcd567a781060ac9d1cc2169b24452fec493283e14475870acfb1aae3d1023c8f596d0bc0a63fc6708c8b33c',
    },
    {
      name: 'index',
      wrapped:
        '\\x02000000030707070707070707070707076e0bc73d0e6eb695a7fc72e1e13095fac03dec12e996e0789fda3f9b65bf537a5eed8428fd5cfd9a1ad886f22cb07e4c',
    },
  ],
  subjects: [
    {
      subject_type: 'person',
      subject_digest: '\\xf97d45f2945c142057aab0d6f9ec0098bbeebfd6a33144de7a923544edbda208',
      key_id: keyId,
    },
  ],
  keys: [storedKey],
};
const encrypted = Buffer.from(
  '0200112233445566778899aabbccddeeff00000007000102030405060708090a0bb439435e9f7e33d8e7c9d76be8d4a0f49997a4ad1c56',
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

test('pseudonyms are bound to person, table and column, or shared by a domain', () => {
  const ring = new KeyRing(storedKeys);
  const own = keyedSubkey(ring.lastingRoot('person', '42'), 'public.people', 'email', { action: 'hash' });
  expect(own.toString('hex')).toBe('8165f44664fae94e9f3819a26a7232454a1f9ab6c60c8653f19ee59410d3cf60');
  expect(pseudonymOf(own, 'zoë@example.org')).toBe('sy3xohjAVLk1IGjt21Tj_f5vN3YVODEwgotPEYW5Lhw');
  const shared = keyedSubkey(ring.sharedRoot, 'public.people', 'email', {
    action: 'hash',
    domain: 'customer',
  });
  expect(pseudonymOf(shared, '42')).toBe('1kJH_oIhKnShbiy5QFiTpkJtlAYX4kDasvzfYCv6PQQ');
  const tokens = keyedSubkey(ring.sharedRoot, 'public.people', 'email', { action: 'tokenise' });
  expect(tokens.toString('hex')).toBe(
    'f3cf09dd1fe54e45232782571326ff7f2dd85b67c0eec4c7dcb5929cf6fe3070475d44834fedd83adfd73946205bd93f4b18a6d70fce532e13ad95324469071c',
  );
});

test("an encrypted value opens under its subject's key, in its classification, and nowhere else", () => {
  const ring = new KeyRing(storedKeys);
  const ciphertext = parseCiphertext(encrypted);
  expect(ciphertext).toMatchObject({ keyId, generation: 7 });
  const keyOf = (table: string, classification: string) =>
    ring.valueKey(ciphertext, 'person', '42', table, classification);
  const key = keyOf('public.people', 'person.name');
  const place = associatedData('public.people', 'name', keyId);
  expect(openCiphertext(ciphertext, key, place)).toEqual(Buffer.from('\x0aAlice'));
  for (const elsewhere of [
    associatedData('public.staff', 'name', keyId),
    associatedData('public.people', 'nick', keyId),
    associatedData('public.people', 'name', keyId.replace('0', '1')),
  ]) {
    expect(() => openCiphertext(ciphertext, key, elsewhere)).toThrow('does not open');
  }
  for (const other of [keyOf('public.people', 'payment.card'), keyOf('public.staff', 'person.name')]) {
    expect(() => openCiphertext(ciphertext, other, place)).toThrow('does not open');
  }
  const under = (type: string, id: string, changes = {}) =>
    ring.valueKey({ ...ciphertext, ...changes }, type, id, 'public.people', 'person.name');
  expect(() => under('person', '43')).toThrow("another subject's key");
  expect(() => under('company', '42')).toThrow("another subject's key");
  expect(() => under('person', '42', { generation: 8 })).toThrow('another generation');
  const destroyed = new KeyRing({ ...storedKeys, keys: [{ ...storedKey, wrapped: null }] });
  expect(() => destroyed.valueKey(ciphertext, 'person', '42', 'public.people', 'person.name')).toThrow(
    'destroyed key',
  );
});

test('a flipped bit anywhere in a ciphertext is seen', () => {
  const ring = new KeyRing(storedKeys);
  for (let at = 0; at < encrypted.length; at++) {
    const altered = Buffer.from(encrypted);
    altered[at]! ^= 1;
    expect(() => {
      const ciphertext = parseCiphertext(altered);
      const key = ring.valueKey(ciphertext, 'person', '42', 'public.people', 'person.name');
      openCiphertext(ciphertext, key, associatedData('public.people', 'name', ciphertext.keyId));
    }, `byte ${at}`).toThrow();
  }
});

test('the key of another epoch opens nothing, and neither does another master key', async () => {
  expect(() => new KeyRing({ ...storedKeys, epochs: new Map([['3', Buffer.alloc(32, 7)]]) })).toThrow(
    'does not open',
  );
  expect(() => new KeyRing({ ...storedKeys, epochs: new Map() })).toThrow('epoch 3, which is gone');
  const wrapped = Buffer.from(
    '050505050505050505050505966c5a29e1ed6a9853b82f5643af2d54e769835ac1d4377b0c7d35bb4ec9150562f40b4848c6296d901914f6e8c89018',
    'hex',
  );
  const folder = mkdtempSync(join(tmpdir(), 'lethe-master-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'master.json');
  const master = 'MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=';
  writeFileSync(file, JSON.stringify({ format: 1, keys: { one: master, two: master.replace('M', 'N') } }));
  const open = localEpochOpener({ keys: { url: 'unused', master: { kind: 'local', file } } });
  const context = prefixed('lethe/epoch/v2', '11111111-2222-4333-8444-555555555555', '3');
  expect(await open('one', wrapped, context)).toEqual(storedKeys.epochs.get('3'));
  await expect(open('two', wrapped, context)).rejects.toThrow('does not open');
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
