import { createHmac, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOfSubject } from '../../../keys/digest-of-subject.ts';

const index = randomBytes(32);
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.integer().map(String));

/** As docs/contracts.md writes it, in the plainest way. */
function written(...parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part)];
    }),
  );
}

test('it is the HMAC of the parts behind their lengths, whatever script they are in', () => {
  fc.assert(
    fc.property(text, fc.option(text, { nil: undefined }), text, (type, purpose, id) => {
      const kind = { type, ...(purpose === undefined ? {} : { purpose }) };
      const expected = createHmac('sha256', index).update(
        written('lethe/subject/v2', type, purpose ?? '', id),
      );
      expect(digestOfSubject(index, kind, id)).toEqual(expected.digest());
    }),
  );
});
