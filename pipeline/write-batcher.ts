import type { CleanChange, Verdict } from './sink.ts';

interface Waiting {
  readonly changes: readonly CleanChange[];
  readonly resolve: (verdicts: Verdict[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins what several partitions bring at about the same time into one write of the store: many small inserts cost a store far
 * more than one. A write starts when `maxChanges` wait or the oldest has waited `lingerMs`; one write runs at a
 * time, so changes of a key (which share a partition, whose next batch waits for this one) stay in order.
 */
export class WriteBatcher {
  private waiting: Waiting[] = [];
  private size = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing = false;
  private readonly write: (changes: readonly CleanChange[]) => Promise<Verdict[]>;
  private readonly maxChanges: number;
  private readonly lingerMs: number;

  constructor(
    write: (changes: readonly CleanChange[]) => Promise<Verdict[]>,
    maxChanges: number,
    lingerMs: number,
  ) {
    this.write = write;
    this.maxChanges = maxChanges;
    this.lingerMs = lingerMs;
  }

  /** Verdicts in the order of `changes`; rejects with what the write threw. */
  add(changes: readonly CleanChange[]): Promise<Verdict[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ changes, resolve, reject });
      this.size += changes.length;
      if (this.size >= this.maxChanges) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), this.lingerMs);
    });
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.writing || this.waiting.length === 0) return;
    const batch = this.waiting;
    this.waiting = [];
    this.size = 0;
    this.writing = true;
    void this.run(batch).finally(() => {
      this.writing = false;
      this.flush();
    });
  }

  private async run(batch: readonly Waiting[]): Promise<void> {
    try {
      const verdicts = await this.write(batch.flatMap((w) => w.changes));
      let at = 0;
      for (const w of batch) {
        w.resolve(verdicts.slice(at, at + w.changes.length));
        at += w.changes.length;
      }
    } catch (error) {
      for (const w of batch) w.reject(error);
    }
  }
}
