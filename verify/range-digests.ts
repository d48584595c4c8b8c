import { hash } from 'node:crypto';

/** Bytes of a row's digest that are kept. */
const kept = 16;
const words = kept / 4;

/**
 * Digests of a table's rows, summed over ranges of the digests of their keys: what two places have of a range is equal if count and sum are,
 * in whatever order they give their rows. Takes 20 bytes a range and nothing a row. The sum is XOR of 128 bits of SHA-256, as in
 * a Merkle tree's leaves for anti-entropy (DeCandia et al., Dynamo, 2007, 4.7); a count tells a row that stands there twice.
 */
export class RangeDigests {
  readonly ranges: number;
  readonly #counts: Uint32Array;
  readonly #sums: Uint32Array;
  #rows = 0;

  constructor(ranges: number) {
    this.ranges = ranges;
    this.#counts = new Uint32Array(ranges);
    this.#sums = new Uint32Array(ranges * words);
  }

  get rows(): number {
    return this.#rows;
  }

  /** A row: its key, and digests of what it has. */
  add(key: string, digests: Buffer): void {
    const range = rangeOf(key, this.ranges);
    const row = hash('sha256', Buffer.concat([Buffer.from(`${key}\0`), digests]), 'buffer');
    for (let i = 0; i < words; i++) this.#sums[range * words + i]! ^= row.readUInt32LE(i * 4);
    this.#counts[range]!++;
    this.#rows++;
  }

  /** Ranges of which the other has not the same. */
  unlike(other: RangeDigests): number[] {
    const found: number[] = [];
    for (let range = 0; range < this.ranges; range++) {
      const same =
        this.#counts[range] === other.#counts[range] &&
        this.#sums
          .subarray(range * words, (range + 1) * words)
          .every((word, i) => word === other.#sums[range * words + i]);
      if (!same) found.push(range);
    }
    return found;
  }
}

/** Which of so many ranges of digests the key's is in: the same on both sides, whatever order they have. */
export function rangeOf(key: string, ranges: number): number {
  return Math.floor((hash('sha256', key, 'buffer').readUInt32BE(0) / 2 ** 32) * ranges);
}
