import type { CommittedReader, CommittedRecord } from '../../pipeline/committed-reader.ts';
import type { CleanChange } from '../../pipeline/sink.ts';
import { mayTie } from '../../schemas/version.ts';
import type { CleanWrites, FinalVerdict } from '../clean-writes.ts';

/** What became of records that were written again. */
export interface ReplayCounts {
  /** Records of the clean topic, also those before the point that is asked for. */
  readonly read: number;
  readonly written: number;
  /** The store had the same or a newer one. */
  readonly stale: number;
  /** No sink takes them: the dead letters name them. */
  readonly rejected: number;
}

export interface TopicReplayParts {
  readonly reader: Pick<CommittedReader, 'ends' | 'read'>;
  readonly topic: string;
  /** Which changes are written; all by default. */
  readonly wants?: (change: CleanChange) => boolean;
  readonly onVerdict?: (change: CleanChange, verdict: FinalVerdict) => void;
  /** Told the offsets that are passed, of those that the topic had when the pass began. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** What a pass came upon. */
interface Pass {
  readonly read: number;
  /** Whether another change may have the same version in a store. */
  readonly ties: boolean;
}

const changesOfAWrite = 1_000;
const little = 1_000;
/** A topic that is written all the time has no end: the sink's own writes come behind the last pass. */
const mostPasses = 20;

/** Reads a clean topic's committed records once more, without a group whose offsets would move, and has them written. */
export class TopicReplay {
  private readonly parts: TopicReplayParts;
  private readonly next: Map<number, bigint>;
  private ties = false;
  private readonly counted = { read: 0, written: 0, stale: 0, rejected: 0 };

  /** `from`: where each partition begins; the others begin at their start. */
  constructor(parts: TopicReplayParts, from: ReadonlyMap<number, bigint> = new Map()) {
    this.parts = parts;
    this.next = new Map(from);
  }

  get counts(): ReplayCounts {
    return { ...this.counted };
  }

  /** Passes until little came meanwhile. */
  async follow(writes: CleanWrites): Promise<void> {
    await this.passUntil(writes, ({ read }) => read < little);
  }

  /**
   * Passes as often as it takes beside a sink that writes too: of two changes that tie in a store's version the later must be written
   * last, so what came after such ones is written behind them.
   */
  async settle(writes: CleanWrites): Promise<void> {
    await this.passUntil(writes, ({ ties }) => !ties);
  }

  private async passUntil(writes: CleanWrites, isDone: (pass: Pass) => boolean): Promise<void> {
    for (let i = 0; i < mostPasses && !isDone(await this.pass(writes)); i++);
  }

  /** From where the last pass ended to where the topic ends now. */
  async pass(writes: CleanWrites): Promise<Pass> {
    const { reader, topic, onProgress } = this.parts;
    const ends = await reader.ends([topic]);
    const progress = new Map(ends.map(({ partition }) => [partition, 0n]));
    const total = ends.reduce((sum, { partition, next }) => sum + (next - this.from(partition)), 0n);
    const before = this.counted.read;
    this.ties = false;
    const passed = (partition: number, offsets: bigint): void => {
      progress.set(partition, offsets);
      onProgress?.(Number([...progress.values()].reduce((sum, n) => sum + n, 0n)), Number(total));
    };
    await Promise.all(
      ends.map(async ({ partition, next: end }) => {
        const from = this.from(partition);
        for await (const records of reader.read(topic, partition, from, end)) {
          await this.write(
            writes,
            records.filter(({ offset }) => offset < end),
          );
          const last = records.at(-1);
          if (last) passed(partition, last.offset + 1n - from);
        }
        passed(partition, end - from);
        this.next.set(partition, end);
      }),
    );
    return { read: this.counted.read - before, ties: this.ties };
  }

  private from(partition: number): bigint {
    return this.next.get(partition) ?? 0n;
  }

  private async write(writes: CleanWrites, records: readonly CommittedRecord[]): Promise<void> {
    const { wants, onVerdict, signal } = this.parts;
    for (let start = 0; start < records.length; start += changesOfAWrite) {
      signal.throwIfAborted();
      const changes: CleanChange[] = [];
      for (const record of records.slice(start, start + changesOfAWrite)) {
        this.counted.read++;
        const change = await writes.read(record);
        if (typeof change === 'string') this.counted.rejected++;
        else if (wants?.(change) ?? true) changes.push(change);
      }
      this.ties ||= changes.some(({ version }) => mayTie(version));
      for (const [i, verdict] of (await writes.write(changes)).entries()) {
        if (verdict.outcome !== 'left') this.counted[verdict.outcome]++;
        onVerdict?.(changes[i]!, verdict);
      }
    }
  }
}
