import type { CleanChange, Verdict } from './sink.ts';

interface Waiting {
  readonly changes: readonly CleanChange[];
  readonly resolve: (verdicts: Verdict[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchLimits {
  /** Most changes of one write; a single part with more is written as it is. */
  readonly maxChanges: number;
  /** How long the first change of a write may wait for more, ms. */
  readonly lingerMs: number;
  /** Writes under way at a time. */
  readonly maxWrites: number;
}

/** Below this a write costs a store more than its changes. */
const leastChanges = 100;

/**
 * Joins what several partitions bring at about the same time into one write of the store: many small inserts cost a store far
 * more than one. A write starts when enough changes wait or the oldest has waited `lingerMs`, and there is room for it. Changes
 * of a key stay in order with several writes under way: they share a partition, whose next part waits for the verdicts of this
 * one.
 *
 * How much is enough follows the store (additive increase, multiplicative decrease, RFC 5681): a write that it does not
 * take for now halves it, one that it takes lets it grow again.
 */
export class WriteBatcher {
  private waiting: Waiting[] = [];
  private size = 0;
  private timer: NodeJS.Timeout | undefined;
  private writes = 0;
  private enough: number;
  private readonly write: (changes: readonly CleanChange[]) => Promise<Verdict[]>;
  private readonly limits: BatchLimits;

  constructor(write: (changes: readonly CleanChange[]) => Promise<Verdict[]>, limits: BatchLimits) {
    this.write = write;
    this.limits = limits;
    this.enough = limits.maxChanges;
  }

  /** How many changes a write holds at most for now. */
  get batchSize(): number {
    return this.enough;
  }

  /** Verdicts in the order of `changes`; rejects with what the write threw. */
  add(changes: readonly CleanChange[]): Promise<Verdict[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ changes, resolve, reject });
      this.size += changes.length;
      if (this.size >= this.enough) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), this.limits.lingerMs);
    });
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.waiting.length > 0 && this.writes < this.limits.maxWrites) {
      this.writes++;
      void this.run(this.take()).finally(() => {
        this.writes--;
        this.flush();
      });
    }
  }

  /** What waits longest, up to the size of a write. */
  private take(): Waiting[] {
    let size = 0;
    let count = 0;
    for (const { changes } of this.waiting) {
      if (count > 0 && size + changes.length > this.enough) break;
      size += changes.length;
      count++;
    }
    this.size -= size;
    return this.waiting.splice(0, count);
  }

  private async run(batch: readonly Waiting[]): Promise<void> {
    try {
      const verdicts = await this.write(batch.flatMap((w) => w.changes));
      this.adapt(verdicts.every(({ outcome }) => outcome !== 'retriable'));
      let at = 0;
      for (const w of batch) {
        w.resolve(verdicts.slice(at, at + w.changes.length));
        at += w.changes.length;
      }
    } catch (error) {
      this.adapt(false);
      for (const w of batch) w.reject(error);
    }
  }

  private adapt(taken: boolean): void {
    const { maxChanges } = this.limits;
    if (taken) this.enough = Math.min(maxChanges, this.enough + Math.ceil(maxChanges / 20));
    else this.enough = Math.max(Math.min(leastChanges, maxChanges), this.enough >> 1);
  }
}
