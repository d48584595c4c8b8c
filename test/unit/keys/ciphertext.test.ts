import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  associatedData,
  ciphertextOverhead,
  decrypt,
  describeCiphertext,
  encrypt,
} from '../../../keys/ciphertext.ts';
import { SubjectKey } from '../../../keys/subject-key.ts';
import { keyUse } from '../../../schemas/key-use.ts';
import { testSubjectKey } from '../../support/test-keys.ts';

const key = testSubjectKey(2);
const use = keyUse('encrypt', 'public.customers', 'person.contact');
const place = () => associatedData('public.customers', 'email');

describe('ciphertext', () => {
  it('opens with its key at its place, and names its key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const plain = Buffer.from(bytes);
        const sealed = encrypt(key, use, place(), plain);
        expect(sealed.length).toBe(plain.length + ciphertextOverhead);
        expect(decrypt(key, use, place(), sealed)).toEqual(plain);
        expect(describeCiphertext(sealed)).toEqual({ keyId: key.keyId, generation: 2 });
      }),
    );
  });

  it.each([
    ['dataset', associatedData('public.orders', 'email')],
    ['column', associatedData('public.customers', 'phone')],
    // With a separator between them the two would be one text.
    ['cut between the two', associatedData('public.customersem', 'ail')],
  ])('does not open when moved to another %s', (_what, elsewhere) => {
    expect(decrypt(key, use, elsewhere, encrypt(key, use, place(), Buffer.from('secret')))).toBeUndefined();
  });

  it.each([
    ['classification', keyUse('encrypt', 'public.customers', 'payment.card')],
    ['dataset', keyUse('encrypt', 'public.orders', 'person.contact')],
    ['purpose', keyUse('pseudonym', 'public.customers', 'person.contact')],
  ])('does not open with the subkey of another %s', (_what, other) => {
    const sealed = encrypt(key, use, place(), Buffer.from('secret'));
    expect(decrypt(key, other, place(), sealed)).toBeUndefined();
    expect(decrypt(key, use, place(), sealed)).toBeDefined();
  });

  it('does not open under another generation, nor when it names another key', () => {
    const sealed = encrypt(key, use, place(), Buffer.from('secret'));
    const next = testSubjectKey(3);
    expect(decrypt(new SubjectKey(key.keyId, 3, next.roots), use, place(), sealed)).toBeUndefined();
    const renamed = Buffer.from(sealed);
    renamed[1]! ^= 1;
    expect(decrypt(key, use, place(), renamed)).toBeUndefined();
  });

  it('does not open when any byte of nonce, body or tag is changed', () => {
    const sealed = encrypt(key, use, place(), Buffer.from('secret'));
    for (let i = 21; i < sealed.length; i++) {
      const broken = Buffer.from(sealed);
      broken[i]! ^= 1;
      expect(decrypt(key, use, place(), broken)).toBeUndefined();
    }
  });

  it('never repeats a nonce, over many refills of the pool', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 50_000; i++) {
      seen.add(encrypt(key, use, place(), Buffer.alloc(0)).toString('latin1', 21, 33));
    }
    expect(seen.size).toBe(50_000);
  });
});

describe('pseudonyms', () => {
  it('stay what they are when the key gets another generation', () => {
    const lasting = key.roots.subarray(32);
    const next = new SubjectKey(
      key.keyId,
      3,
      Buffer.concat([testSubjectKey().roots.subarray(0, 32), lasting]),
    );
    const pseudonyms = keyUse('pseudonym', 'column', 'public.customers', 'email');
    expect(next.subkey(pseudonyms).equals(key.subkey(pseudonyms))).toBe(true);
    expect(next.subkey(use).equals(key.subkey(use))).toBe(false);
  });
});
