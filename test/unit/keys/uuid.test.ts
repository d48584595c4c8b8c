import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { uuidBytes, uuidText } from '../../../keys/uuid.ts';

test('a UUID is 16 bytes, and those are the UUID', () => {
  for (let i = 0; i < 1_000; i++) {
    const id = randomUUID();
    expect(uuidBytes(id)).toEqual(Buffer.from(id.replaceAll('-', ''), 'hex'));
    expect(uuidText(uuidBytes(id))).toBe(id);
  }
});
