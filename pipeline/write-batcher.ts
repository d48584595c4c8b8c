import type { CleanChange, Verdict } from './sink.ts';

interface Waiting {
  readonly changes: readonly CleanChange[];
  readonly bytes: number;
  readonly resolve: (verdicts: Verdict[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchLimits {
  /** Most changes of one write; a single part with more is written as it is. */
  readonly maxChanges: number;
  /** Most bytes of one write, as the clean topic has them; likewise. */
  readonly maxBytes: number;
  /** How long the first change of a write may wait for more while the store takes all, ms. */
  readonly lingerMs: number;
  /** Writes under way at a time. */
  readonly maxWrites: number;
}

/** Below this a write costs a store more than its changes. */
const leastChanges = 100;
/** A store that takes little is given time: a write waits this much longer for more at most. */
const mostLinger = 10;

/**
 * Joins what several partitions bring at about the same time into one write of the store: many small inserts cost a store far
 * more than one. A write starts when enough changes wait or the oldest has waited `lingerMs`, and there is room for it. Changes
 * of a key stay in order with several writes under way: they share a partition, whose next part waits for the verdicts of this
 * one.
 *
 * How much is enough follows the store (additive increase, multiplicative decrease, RFC 5681): a write that it does not
 * take for now halves its share of the limits, and what waits for the next one waits longer; one that it takes lets the share
 * grow again.
 */
export class WriteBatcher {
  private waiting: Waiting[] = [];
  private size = 0;
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;
  private writes = 0;
  /** Of the limits, as the store takes it. */
  private share = 1;
  private readonly write: (changes: readonly CleanChange[]) => Promise<Verdict[]>;
  private readonly limits: BatchLimits;

  constructor(write: (changes: readonly CleanChange[]) => Promise<Verdict[]>, limits: BatchLimits) {
    this.write = write;
    this.limits = limits;
  }

  /** How many changes a write holds at most for now. */
  get batchSize(): number {
    const { maxChanges } = this.limits;
    return Math.max(Math.min(leastChanges, maxChanges), Math.floor(maxChanges * this.share));
  }

  /** How many bytes a write holds at most for now; a part with more is written as it is. */
  get batchBytes(): number {
    return Math.floor(this.limits.maxBytes * this.share);
  }

  /** How long a write waits for more for now, ms. */
  get lingerMs(): number {
    return this.limits.lingerMs * Math.min(mostLinger, 1 / this.share);
  }

  /** Verdicts in the order of `changes`; rejects with what the write threw. `bytes`: what they take in the clean topic. */
  add(changes: readonly CleanChange[], bytes: number): Promise<Verdict[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ changes, bytes, resolve, reject });
      this.size += changes.length;
      this.bytes += bytes;
      if (this.size >= this.batchSize || this.bytes >= this.batchBytes) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), this.lingerMs);
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
    let [size, bytes, count] = [0, 0, 0];
    for (const next of this.waiting) {
      const [grown, heavier] = [size + next.changes.length, bytes + next.bytes];
      if (count > 0 && (grown > this.batchSize || heavier > this.batchBytes)) break;
      [size, bytes] = [grown, heavier];
      count++;
    }
    this.size -= size;
    this.bytes -= bytes;
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
    const least = Math.min(1, leastChanges / this.limits.maxChanges);
    this.share = taken ? Math.min(1, this.share + 1 / 20) : Math.max(least, this.share / 2);
  }
}
