import { LetheError } from '../schemas/errors.ts';
import { SealingKey, type SealingKeyParts } from './sealing-key.ts';
import type { SubjectKey } from './subject-key.ts';

/**
 * A table's key in a process that seals and opens without waiting: what it needs is made ready before. It opens every generation, also one that
 * another process has begun meanwhile.
 */
export class TableKey {
  readonly #parts: SealingKeyParts;
  readonly #sealing: SealingKey;
  /** By generation; null for one that was asked for and is not there. */
  readonly #generations = new Map<number, SubjectKey | null>();
  /** Generations that records name, and nobody has read yet. */
  readonly #wanted = new Set<number>();
  #current: SubjectKey | undefined;

  constructor(parts: SealingKeyParts) {
    this.#parts = parts;
    this.#sealing = new SealingKey(parts);
  }

  /**
   * Makes ready half a block of encryptions, more than any part of a batch takes, and all generations up to the newest, and those that were
   * asked for in vain. `current`: the key as the key store gave it a moment ago. Fails as {@link SealingKey.ready} does.
   */
  async load(current: SubjectKey): Promise<void> {
    const { block } = this.#parts.reserve;
    const newest = block === 0 ? current : await this.#sealing.ready(current, Math.ceil(block / 2));
    this.#current = current;
    for (const key of [current, newest]) this.#generations.set(key.generation, key);
    for (let generation = 1; generation < newest.generation; generation++) {
      if (!this.#generations.has(generation)) this.#wanted.add(generation);
    }
    for (const generation of this.#wanted) {
      this.#generations.set(generation, await this.#parts.keys.keyById(current.keyId, generation));
      this.#wanted.delete(generation);
    }
  }

  /** The key for one encryption, which is counted; KEY_STORE_UNAVAILABLE where none is ready. */
  take(): SubjectKey {
    return this.#sealing.take(this.#current!);
  }

  /**
   * The key as a ciphertext names it; undefined for another key, and for a generation that is not there. KEY_STORE_UNAVAILABLE for one that
   * nobody has looked for: the next load does.
   */
  named(keyId: Buffer, generation: number): SubjectKey | undefined {
    if (!this.#current?.keyId.equals(keyId)) return undefined;
    const known = this.#generations.get(generation);
    if (known !== undefined) return known ?? undefined;
    this.#wanted.add(generation);
    throw new LetheError('KEY_STORE_UNAVAILABLE', 'a generation of a table’s key is not read yet');
  }
}
