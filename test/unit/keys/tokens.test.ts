import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkToken, newToken, parseToken, type TokenRow } from '../../../keys/access/token.ts';

const now = new Date('2026-01-02T00:00:00Z');
const token = newToken();
const row: TokenRow = {
  id: token.id,
  hash: token.hash,
  principal: 'billing',
  role: 'consumer',
  created: new Date('2026-01-01T00:00:00Z'),
  expires: new Date('2026-01-03T00:00:00Z'),
  isRevoked: false,
  isDisabled: false,
  now,
};

function why(text: string, found: TokenRow | undefined): unknown {
  try {
    return checkToken(parseToken(text)!, found);
  } catch (error) {
    return (error as { detail: Record<string, unknown> }).detail;
  }
}

describe('a token', () => {
  it('is its principal’s, who has been here since it was made', () => {
    expect(why(token.text, row)).toEqual({ name: 'billing', role: 'consumer', since: row.created });
  });

  it.each([
    ['unknown', 'unknown', undefined],
    ['wrong-secret', 'unknown', { ...row, hash: newToken().hash }],
    ['revoked', 'billing', { ...row, isRevoked: true }],
    ['disabled', 'billing', { ...row, isDisabled: true }],
    ['expired', 'billing', { ...row, expires: now }],
    ['role', 'billing', { ...row, role: 'root' }],
    ['role', 'billing', { ...row, role: null }],
  ] as const)('is refused: %s, of %s', (reason, principal, found) => {
    expect(why(token.text, found)).toMatchObject({ why: reason, principal });
  });

  it('hears why alone who has its secret: no token is found by asking', () => {
    const say = (found: TokenRow | undefined) => {
      try {
        checkToken(parseToken(token.text)!, found);
        return 'nothing';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const other = { ...row, hash: newToken().hash };
    expect(say(other)).toBe(say(undefined));
    expect(say({ ...other, isRevoked: true })).toBe(say(undefined));
    expect(say({ ...other, expires: now })).toBe(say(undefined));
  });

  it('is kept as a hash that does not hold it', () => {
    expect(token.hash.toString('base64url')).not.toBe(token.text.slice(-43));
    expect(token.hash).toHaveLength(32);
  });

  it('is another one each time', () => {
    const texts = Array.from({ length: 100 }, () => newToken().text);
    expect(new Set(texts).size).toBe(100);
  });

  it('is none when it is cut, changed or added to, in any place', () => {
    const { text } = token;
    for (let n = 0; n < text.length; n++) expect(parseToken(text.slice(0, n))).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 3 }), (at, put) => {
        const changed = text.slice(0, at) + put + text.slice(at + 1);
        fc.pre(changed !== text);
        const parts = parseToken(changed);
        if (!parts) return true;
        const same = { ...row, id: parts.id };
        return (why(changed, parts.id === token.id ? same : undefined) as { why?: string }).why !== undefined;
      }),
    );
  });

  it('has one text alone: bits that its last character has to spare are not taken', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const same = alphabet
      .split('')
      .filter((c) => parseToken(token.text.slice(0, -1) + c)?.secret.equals(parseToken(token.text)!.secret));
    expect(same).toHaveLength(1);
  });
});
