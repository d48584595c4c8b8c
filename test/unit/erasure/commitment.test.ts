import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commitmentTo, opensCommitment } from '../../../erasure/commitment.ts';

const key = randomBytes(32);
const subject = { request: 'er-1', type: 'customer', id: '42' };
const commitment = commitmentTo(subject, key);

describe('a commitment', () => {
  it('is opened by the person it was made to, with the key', () => {
    expect(commitment).toMatch(/^[0-9a-f]{64}$/);
    expect(opensCommitment(commitment, subject, key)).toBe(true);
  });

  it.each([
    ['another person', { ...subject, id: '43' }, key],
    ['another kind of person', { ...subject, type: 'employee' }, key],
    ['another request', { ...subject, request: 'er-2' }, key],
    ['another key', subject, randomBytes(32)],
  ])('is not opened by %s', (_who, other, withKey) => {
    expect(opensCommitment(commitment, other, withKey)).toBe(false);
    expect(commitmentTo(other, withKey)).not.toBe(commitment);
  });

  it.each(['', 'ab', 'no hex at all', commitment.slice(2), `${commitment}00`])(
    'is not one that is cut or long: %s',
    (text) => expect(opensCommitment(text, subject, key)).toBe(false),
  );

  it('is of no two persons, wherever a text ends and the next begins', () => {
    const text = fc.string({ maxLength: 4 });
    const subjects = fc.record({ request: text, type: text, id: text });
    fc.assert(
      fc.property(subjects, subjects, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(commitmentTo(one, key)).not.toBe(commitmentTo(other, key));
      }),
    );
  });
});
