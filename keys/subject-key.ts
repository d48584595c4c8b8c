import type { KeyUse } from '../schemas/key-use.ts';
import { deriveSubkey } from './subkey.ts';

/** Bytes of the root of a generation, and of the root of all generations, which follow each other in what is wrapped. */
export const rootBytes = 32;

/**
 * A data subject's key, of one generation. It encrypts nothing itself: each use has a subkey of its own. `keyId` stands in every
 * ciphertext, and stays when the person gets another id.
 *
 * Values are encrypted under subkeys of the generation's root, which a rotation changes; pseudonyms, tokens and formats are made with
 * subkeys of the root that all generations share: a record's key must not change because a key was rotated.
 */
export class SubjectKey {
  /** 16 bytes. */
  readonly keyId: Buffer;
  readonly generation: number;
  readonly #roots: Buffer;
  #subkeys: (Buffer | undefined)[] | undefined;
  #made: unknown[] | undefined;

  /** `roots`: 64 bytes, see {@link rootBytes}. */
  constructor(keyId: Buffer, generation: number, roots: Buffer) {
    this.keyId = keyId;
    this.generation = generation;
    this.#roots = pooled(roots);
  }

  subkey(use: KeyUse): Buffer {
    const subkeys = (this.#subkeys ??= []);
    return (subkeys[use.slot] ??= pooled(deriveSubkey(this.#rootOf(use), use)));
  }

  /** What `make` makes of a subkey, made once. */
  made<T>(use: KeyUse, make: (subkey: Buffer) => T): T {
    const made = (this.#made ??= []);
    return (made[use.slot] ??= make(this.subkey(use))) as T;
  }

  #rootOf({ purpose }: KeyUse): Buffer {
    return purpose === 'encrypt' ? this.#roots.subarray(0, rootBytes) : this.#roots.subarray(rootBytes);
  }
}

/** Beside others in one piece of memory: one of its own for each costs the collector more than the key does. */
function pooled(key: Buffer): Buffer {
  const own = Buffer.allocUnsafe(key.length);
  key.copy(own);
  return own;
}
