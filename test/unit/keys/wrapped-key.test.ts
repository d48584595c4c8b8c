import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { epochOfWrapped, unwrapKey, wrapKey } from '../../../keys/wrapped-key.ts';

const epochKey = randomBytes(32);
const secret = randomBytes(64);

describe('a wrapped key', () => {
  it.each([
    ['a', 'b'],
    [randomUUID(), randomUUID()],
  ])('opens under its epoch, name and generation only: %s', (name, another) => {
    const wrapped = wrapKey(7, epochKey, name, 1, secret);
    expect(epochOfWrapped(wrapped)).toBe(7);
    expect(unwrapKey(epochKey, wrapped, name, 1)).toEqual(secret);
    const other = Buffer.from(wrapped);
    other[4]! ^= 1;
    expect(() => unwrapKey(epochKey, wrapped, another, 1)).toThrow(/does not open/);
    expect(() => unwrapKey(epochKey, wrapped, name, 2)).toThrow(/does not open/);
    expect(() => unwrapKey(epochKey, other, name, 1)).toThrow(/does not open/);
    expect(() => unwrapKey(randomBytes(32), wrapped, name, 1)).toThrow(/does not open/);
    expect(unwrapKey(epochKey, wrapKey(7, epochKey, another, 1, secret), another, 1)).toEqual(secret);
    expect(unwrapKey(epochKey, wrapped, name, 1)).toEqual(secret);
  });

  it('of another format is refused', () => {
    const wrapped = wrapKey(7, epochKey, 'a', 1, secret);
    wrapped[0] = 1;
    expect(() => epochOfWrapped(wrapped)).toThrow(/unknown format/);
    expect(() => epochOfWrapped(Buffer.alloc(3))).toThrow(/unknown format/);
  });
});
