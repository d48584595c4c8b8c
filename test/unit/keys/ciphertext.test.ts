import { createSecretKey, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  associatedData,
  ciphertextOverhead,
  decrypt,
  describeCiphertext,
  encrypt,
} from '../../../keys/ciphertext.ts';
import { MasterKey } from '../../../keys/master-key.ts';

const key = { keyId: randomBytes(16), generation: 2, key: createSecretKey(randomBytes(32)) };
const aad = associatedData('public.customers', 'email', 'customer', '42');

describe('ciphertext', () => {
  it('opens with its key at its place, and names its key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const plain = Buffer.from(bytes);
        const sealed = encrypt(key, aad, plain);
        expect(sealed.length).toBe(plain.length + ciphertextOverhead);
        expect(decrypt(key.key, aad, sealed)).toEqual(plain);
        expect(describeCiphertext(sealed)).toEqual({ keyId: key.keyId, generation: 2 });
      }),
    );
  });

  it.each([
    ['table', associatedData('public.orders', 'email', 'customer', '42')],
    ['column', associatedData('public.customers', 'phone', 'customer', '42')],
    ['subject type', associatedData('public.customers', 'email', 'employee', '42')],
    ['subject', associatedData('public.customers', 'email', 'customer', '43')],
  ])('does not open when moved to another %s', (_what, elsewhere) => {
    expect(decrypt(key.key, elsewhere, encrypt(key, aad, Buffer.from('secret')))).toBeUndefined();
  });

  it('does not open when any byte of nonce, body or tag is changed', () => {
    const sealed = encrypt(key, aad, Buffer.from('secret'));
    for (let i = 21; i < sealed.length; i++) {
      const broken = Buffer.from(sealed);
      broken[i]! ^= 1;
      expect(decrypt(key.key, aad, broken)).toBeUndefined();
    }
  });

  it('never repeats a nonce, over many refills of the pool', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50_000; i++) seen.add(encrypt(key, aad, Buffer.alloc(0)).toString('latin1', 21, 33));
    expect(seen.size).toBe(50_000);
  });
});

describe('the master key', () => {
  const master = new MasterKey(randomBytes(32).toString('base64'));
  it('unwraps what it wrapped, under the same name and generation only', () => {
    const wrapped = master.newKey('a', 1);
    expect(master.unwrap(wrapped, 'a', 1).export()).toHaveLength(32);
    expect(() => master.unwrap(wrapped, 'b', 1)).toThrow(/KEY_STORE_INVALID|does not open/);
    expect(() => master.unwrap(wrapped, 'a', 2)).toThrow(/does not open/);
    expect(() => new MasterKey(randomBytes(32).toString('base64')).unwrap(wrapped, 'a', 1)).toThrow(
      /does not open/,
    );
  });

  it('is refused when it is not 32 bytes of base64, without being printed', () => {
    const bad = 'c2hvcnQ-canary';
    let message = '';
    try {
      expect(new MasterKey(bad)).toBeUndefined();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/not 32 bytes/);
    expect(message).not.toContain(bad);
  });
});
