import { Type } from 'avsc';
import { assert, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressForms,
  encodedForms,
  instantForms,
  integerForms,
  uuidForms,
} from '../../../examples/beancart/canary-bytes.ts';

const long = Type.forSchema({ type: 'long' });
const token = Buffer.from('zq7_canary_customers_avatar__');

test('bytes are found in hex and base64 wherever in a value they stand', () => {
  const any = uint8Array({ maxLength: 40 });
  assert(
    property(any, any, (before, after) => {
      const value = Buffer.concat([before, token, after]);
      const found = (encoding: BufferEncoding): boolean =>
        encodedForms(token).some((form) => value.toString(encoding).includes(form.toString('latin1')));
      expect(found('latin1') && found('hex') && found('base64')).toBe(true);
    }),
  );
});

test('integers are found as avsc writes them and as eight bytes of either order', () => {
  const safe = integerForms(-1_089_341_221_817_243n);
  expect(safe).toContainEqual(long.toBuffer(-1_089_341_221_817_243));
  const forms = integerForms(0x0123_4567_89ab_cdefn).map((form) => form.toString('hex'));
  expect(forms).toContain('0123456789abcdef');
  expect(forms).toContain('efcdab8967452301');
  expect(forms).toContain(Buffer.from('81985529216486895').toString('hex'));
});

test('instants are found as text with either separator and as microseconds', () => {
  const forms = instantForms('1935-06-07T08:09:10.123457');
  const micros = Date.UTC(1935, 5, 7, 8, 9, 10, 123) * 1000 + 457;
  expect(forms).toContainEqual(Buffer.from('1935-06-07 08:09:10.123'));
  expect(forms).toContainEqual(Buffer.from('1935-06-07T08:09:10.123'));
  expect(forms).toContainEqual(long.toBuffer(micros));
  expect(forms).toContainEqual(Buffer.from(String(micros)));
});

test('uuids and addresses are found as raw bytes', () => {
  const uuid = '00112233-4455-4677-9899-aabbccddeeff';
  expect(uuidForms(uuid)).toContainEqual(Buffer.from('00112233445546779899aabbccddeeff', 'hex'));
  expect(uuidForms(uuid)).toContainEqual(Buffer.from('7746554433221100ffeeddccbbaa9998', 'hex'));
  expect(addressForms('fd7a:1111:2222:3333:4444:5555:6666:7777')).toContainEqual(
    Buffer.from('fd7a1111222233334444555566667777', 'hex'),
  );
});
