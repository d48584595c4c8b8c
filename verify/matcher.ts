/** Called with the number of the pattern and where it starts. */
export type OnMatch = (pattern: number, offset: number) => void;

const maxTableBits = 22;
/** Entries of the table for each block of a pattern: the more are free, the further the window jumps. */
const entriesEach = 16;
const none = -1;

/**
 * Looks for thousands of byte patterns at once (Wu-Manber): a window as long as the shortest pattern moves over the
 * bytes; the last block of the window says how far no pattern can begin, so that most bytes are never looked at.
 */
export class Matcher {
  readonly #patterns: readonly Uint8Array[];
  /** Length of the window, and of the block at its end. */
  readonly #window: number;
  readonly #block: number;
  readonly #shift: Uint8Array;
  /** First pattern whose window ends in a block with this hash, and the next one after each. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  /** How far a hash of 32 bits is moved to fit the table. */
  readonly #hashShift: number;
  readonly longest: number;

  constructor(patterns: readonly Uint8Array[]) {
    this.#patterns = patterns;
    // More patterns than a call may have arguments.
    this.#window = patterns.reduce((least, { length }) => Math.min(least, length), 250);
    this.longest = patterns.reduce((most, { length }) => Math.max(most, length), 0);
    this.#block = this.#window >= 8 ? 4 : 3;
    if (this.#window < this.#block) throw new RangeError('a pattern is shorter than three bytes');
    const last = this.#window - this.#block;
    const wanted = Math.ceil(Math.log2(entriesEach * (last + 1) * (patterns.length + 1)));
    const bits = Math.min(maxTableBits, wanted);
    this.#hashShift = 32 - bits;
    this.#first = new Int32Array(1 << bits).fill(none);
    this.#next = new Int32Array(patterns.length).fill(none);
    this.#shift = new Uint8Array(1 << bits).fill(last + 1);
    for (const [number, pattern] of patterns.entries()) {
      for (let at = 0; at <= last; at++) {
        const hash = this.#hash(pattern, at);
        this.#shift[hash] = Math.min(this.#shift[hash]!, last - at);
      }
      const hash = this.#hash(pattern, last);
      this.#next[number] = this.#first[hash]!;
      this.#first[hash] = number;
    }
  }

  /** Every occurrence of every pattern in `bytes`. */
  find(bytes: Uint8Array, onMatch: OnMatch): void {
    if (this.#patterns.length === 0) return;
    const last = this.#window - this.#block;
    const end = bytes.length - this.#block;
    for (let at = last; at <= end; ) {
      const hash = this.#hash(bytes, at);
      const shift = this.#shift[hash]!;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - last;
      for (let number = this.#first[hash]!; number !== none; number = this.#next[number]!) {
        if (standsAt(this.#patterns[number]!, bytes, start)) onMatch(number, start);
      }
      at++;
    }
  }

  /** A search over bytes that come in pieces: what lies across a border is found as well, nothing twice. */
  stream(onMatch: OnMatch): { write(chunk: Uint8Array): void } {
    let tail = Buffer.alloc(0);
    let offset = 0;
    const overlap = Math.max(this.longest - 1, 0);
    return {
      write: (chunk) => {
        const head = chunk.subarray(0, overlap);
        const border = Buffer.concat([tail, head]);
        this.find(border, (number, at) => {
          const crosses = at < tail.length && at + this.#patterns[number]!.length > tail.length;
          if (crosses) onMatch(number, offset - tail.length + at);
        });
        this.find(chunk, (number, at) => onMatch(number, offset + at));
        offset += chunk.length;
        const whole = chunk.length >= overlap ? chunk : border;
        tail = Buffer.from(whole.subarray(Math.max(whole.length - overlap, 0)));
      },
    };
  }

  #hash(bytes: Uint8Array, at: number): number {
    const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const block = this.#block === 4 ? low | (bytes[at + 3]! << 24) : low;
    return Math.imul(block, 0x9e37_79b1) >>> this.#hashShift;
  }
}

function standsAt(pattern: Uint8Array, bytes: Uint8Array, start: number): boolean {
  if (start + pattern.length > bytes.length) return false;
  for (let i = 0; i < pattern.length; i++) if (bytes[start + i] !== pattern[i]) return false;
  return true;
}
