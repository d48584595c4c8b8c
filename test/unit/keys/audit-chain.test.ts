import { describe, expect, it } from 'vitest';
import { chainHash, chainStart } from '../../../keys/audit/entry.ts';

describe('the chain of the audit', () => {
  it('has a hash for each entry that follows from all before it', () => {
    const entry = {
      seq: 1n,
      at: '2026-01-01T00:00:00.000000Z',
      principal: 'user:a',
      details: { b: 1, a: 'x' },
    } as const;
    const first = chainHash(chainStart, { ...entry, action: 'store-made' });
    expect(first.toString('hex')).toMatch(/^[0-9a-f]{64}$/);
    expect(chainHash(chainStart, { ...entry, action: 'store-made', details: { a: 'x', b: 1 } })).toEqual(
      first,
    );
    const others = [
      chainHash(first, { ...entry, action: 'store-made' }),
      chainHash(chainStart, { ...entry, action: 'epoch-opened' }),
      chainHash(chainStart, { ...entry, seq: 2n, action: 'store-made' }),
      chainHash(chainStart, { ...entry, principal: 'user:b', action: 'store-made' }),
      chainHash(chainStart, { ...entry, details: { b: 2, a: 'x' }, action: 'store-made' }),
    ];
    expect(new Set([first, ...others].map((hash) => hash.toString('hex'))).size).toBe(6);
  });
});
