import { randomBytes } from 'node:crypto';
import { associatedData, ciphertextOverhead, encryptInto } from '../../keys/ciphertext.ts';
import { deriveSubkey } from '../../keys/subkey.ts';
import type { EncryptionReserve } from '../../keys/reserve-encryptions.ts';
import { rootBytes, SubjectKey } from '../../keys/subject-key.ts';
import type { KeyUse } from '../../schemas/key-use.ts';
import type { Cipher } from '../../transforms/column-action.ts';
import type { Protection } from '../../transforms/protection.ts';

/** The product's own cipher. */
export const testCipher: Cipher = { overhead: ciphertextOverhead, encryptInto, associatedData };

/** Root of the keys that all rows share, of this process. */
export const sharedRoot = randomBytes(rootBytes);
export const sharedKey = (use: KeyUse) => deriveSubkey(sharedRoot, use);

/** A key of a subject, and its roots. */
export function testSubjectKey(generation = 1): SubjectKey & { readonly roots: Buffer } {
  const roots = randomBytes(2 * rootBytes);
  return Object.assign(new SubjectKey(randomBytes(16), generation, roots), { roots });
}

/** Gives every subject the same key. */
export function testProtection(dataKey: SubjectKey | null = testSubjectKey()): Protection {
  return {
    dataKeys: async (_kind, ids) => ids.map(() => dataKey),
    areSuppressed: async (_kind, ids) => ids.map(() => dataKey === null),
    sharedKey: async (use) => sharedKey(use),
  };
}

/** Hands out as many encryptions as anybody asks for, under this generation. */
export const endlessReserve = (generation = 1): EncryptionReserve => ({
  block: 1_000,
  reserve: async () => ({ generation, count: 1_000 }),
});
