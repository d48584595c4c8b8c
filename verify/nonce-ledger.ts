import type { Ciphertext } from './rules/ciphertext.ts';

/**
 * Remembers under which key and nonce each encrypted value stands, over all tables and places: AES-GCM is broken
 * once one key meets one nonce twice, and an equal ciphertext for two cells tells that they are equal.
 *
 * The stores hold copies of what stands in the clean topic, so the same ciphertext of the same cell is no reuse.
 */
export class NonceLedger {
  readonly #owners = new Map<string, string>();

  /** False if key and nonce were already used for another cell or another plaintext. */
  claim(ciphertext: Ciphertext, table: string, key: string, column: string): boolean {
    const used = `${ciphertext.keyId}${ciphertext.generation}/${ciphertext.nonce.toString('latin1')}`;
    const owner = `${table}\n${column}\n${key}\n${ciphertext.tag.toString('latin1')}`;
    const before = this.#owners.get(used);
    if (before !== undefined) return before === owner;
    this.#owners.set(used, owner);
    return true;
  }

  get size(): number {
    return this.#owners.size;
  }
}
