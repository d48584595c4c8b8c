/** Field offsets of a batch in one growing array: a small typed array per record costs more than the walk. */
export class Offsets {
  at = new Int32Array(4096);
  private used = 0;

  /** Where `n` entries are free. */
  take(n: number): number {
    if (this.used + n > this.at.length) {
      const larger = new Int32Array(Math.max(this.at.length * 2, this.used + n));
      larger.set(this.at);
      this.at = larger;
    }
    this.used += n;
    return this.used - n;
  }

  /** Gives back all that was taken from `base` on. */
  release(base: number): void {
    this.used = base;
  }
}

/** Lends field offsets to batches: one that is given back serves the next, as making one costs a batch more than it reads. */
export class OffsetsPool {
  private readonly spare: Offsets[] = [];

  lend(): Offsets {
    return this.spare.pop() ?? new Offsets();
  }

  giveBack(offsets: Offsets): void {
    offsets.release(0);
    this.spare.push(offsets);
  }
}
