import { LetheError } from '../schemas/errors.ts';
import type { KeyStore } from './key-store.ts';
import { uuidText } from './uuid.ts';
import type { EncryptionReserve } from './reserve-encryptions.ts';
import type { SubjectKey } from './subject-key.ts';

export interface SealingKeyParts {
  readonly keys: Pick<KeyStore, 'keyById'>;
  readonly reserve: EncryptionReserve;
}

/**
 * A key that is nobody's own, as one process encrypts under it: for as many times as were reserved, then under the next block, which may be
 * of the next generation. A person's key needs none of it: it encrypts one person's values, far fewer.
 */
export class SealingKey {
  readonly #parts: SealingKeyParts;
  #held: { readonly key: SubjectKey; left: number } | undefined;
  #refilling: Promise<void> | undefined;

  constructor(parts: SealingKeyParts) {
    this.#parts = parts;
  }

  /**
   * Makes so many encryptions ready, at most a block, and gives the key that they are under. `current`: the key as the key store gave it a
   * moment ago, which says that it may be used. Fails with KEY_STORE_UNAVAILABLE, to be tried again, or KEY_STORE_INVALID.
   */
  async ready(current: SubjectKey, count = 1): Promise<SubjectKey> {
    while (this.#leftUnder(current) < count) {
      // Those who find too little at once share a block.
      await (this.#refilling ??= this.#refill(current).finally(() => (this.#refilling = undefined)));
    }
    return this.#held!.key;
  }

  /** The same for one encryption, which is counted: its key. */
  async next(current: SubjectKey): Promise<SubjectKey> {
    while (this.#leftUnder(current) === 0) await this.ready(current);
    // Nobody else comes in between.
    return this.take(current);
  }

  /** The key for one encryption, which is counted; KEY_STORE_UNAVAILABLE where none is ready. */
  take(current: SubjectKey): SubjectKey {
    if (this.#leftUnder(current) === 0) {
      throw new LetheError('KEY_STORE_UNAVAILABLE', 'no encryption under this key is reserved');
    }
    this.#held!.left--;
    return this.#held!.key;
  }

  /** Of another key, or one that was rotated since by somebody, nothing is left. */
  #leftUnder(current: SubjectKey): number {
    const held = this.#held;
    const serves = held?.key.keyId.equals(current.keyId) && held.key.generation >= current.generation;
    return serves ? held!.left : 0;
  }

  async #refill(current: SubjectKey): Promise<void> {
    const { keys, reserve } = this.#parts;
    const { generation, count } = await reserve.reserve(uuidText(current.keyId));
    const held = this.#held;
    if (held?.key.keyId.equals(current.keyId) && held.key.generation === generation) {
      held.left += count;
      return;
    }
    const key = generation === current.generation ? current : await keys.keyById(current.keyId, generation);
    if (!key || generation < current.generation) {
      throw new LetheError(
        'KEY_STORE_INVALID',
        `key ${uuidText(current.keyId)}, of no person, is not what it was`,
        {
          fix: 'It was destroyed, or the key store is an older backup: docs/keys.md.',
        },
      );
    }
    this.#held = { key, left: count };
  }
}
