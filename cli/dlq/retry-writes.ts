import type { CommittedReader } from '../../pipeline/committed-reader.ts';
import { grouped } from '../../pipeline/grouped.ts';
import type { CleanChange } from '../../pipeline/sink.ts';
import { CleanWrites, type CleanWritesParts } from '../clean-writes.ts';
import type { RetryOutcome } from './retry-outcome.ts';

/** A row that a store did not take: its key in the clean topic, and where the record stood that was rejected. */
export interface RejectedRow {
  readonly key: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface RetryWritesParts extends CleanWritesParts {
  readonly reader: Pick<CommittedReader, 'read' | 'ends'>;
  readonly cleanTopic: string;
}

const changesOfAWrite = 1_000;
/** A row that changes all the time is written all the time, by its sink. */
const mostRounds = 20;

/**
 * Writes the newest records of rows to a store that did not take them. The clean topic has them: it is compacted, so it holds the last
 * state of every row. A version that the store has passed loses there, so doing it twice changes nothing.
 */
export class RetryWrites {
  private readonly parts: RetryWritesParts;
  private readonly writes: CleanWrites;

  constructor(parts: RetryWritesParts) {
    this.parts = parts;
    this.writes = new CleanWrites(parts);
  }

  /** What became of the rows, by their keys. SERVER_FAILED or UNREACHABLE while the store is away, TABLE_HALTED under another contract. */
  async retry(rows: readonly RejectedRow[]): Promise<ReadonlyMap<string, RetryOutcome>> {
    const outcomes = new Map<string, RetryOutcome>(rows.map(({ key }) => [key, { kind: 'gone' }]));
    for (const [partition, own] of grouped(rows, (row) => row.partition)) {
      const keys = new Set(own.map(({ key }) => key));
      let from = own.reduce((least, { offset }) => (offset < least ? offset : least), own[0]!.offset);
      // Two changes may have one version in a store, where the later write wins. So what came while this was written is
      // written behind it, until nothing came: whatever comes later, the sink writes later.
      for (let round = 0; round < mostRounds; round++) {
        const end = await this.end(partition);
        let newest = await this.newest(partition, keys, from, end);
        // In a topic that was made anew they stand before where they stood.
        if (round === 0 && newest.size < keys.size) {
          from = 0n;
          newest = await this.newest(partition, keys, from, end);
        }
        if (newest.size === 0) break;
        await this.writeAll(partition, newest, from, end, outcomes);
        from = end;
      }
    }
    return outcomes;
  }

  private async end(partition: number): Promise<bigint> {
    const ends = await this.parts.reader.ends([this.parts.cleanTopic]);
    return ends.find((end) => end.partition === partition)!.next;
  }

  /** Where the last records with these keys stand. */
  private async newest(
    partition: number,
    keys: ReadonlySet<string>,
    from: bigint,
    to: bigint,
  ): Promise<Map<string, bigint>> {
    const found = new Map<string, bigint>();
    for await (const records of this.parts.reader.read(this.parts.cleanTopic, partition, from, to)) {
      for (const { key, offset } of records) if (keys.has(key) && offset < to) found.set(key, offset);
    }
    return found;
  }

  private async writeAll(
    partition: number,
    newest: ReadonlyMap<string, bigint>,
    from: bigint,
    to: bigint,
    outcomes: Map<string, RetryOutcome>,
  ): Promise<void> {
    let waiting: CleanChange[] = [];
    for await (const records of this.parts.reader.read(this.parts.cleanTopic, partition, from, to)) {
      for (const record of records) {
        if (newest.get(record.key) !== record.offset) continue;
        const change = await this.writes.read(record);
        if (typeof change === 'string') outcomes.set(record.key, { kind: 'rejected', now: change });
        else waiting.push(change);
        if (waiting.length < changesOfAWrite) continue;
        await this.write(waiting, outcomes);
        waiting = [];
      }
      await this.write(waiting, outcomes);
      waiting = [];
    }
  }

  private async write(changes: readonly CleanChange[], outcomes: Map<string, RetryOutcome>): Promise<void> {
    for (const [i, verdict] of (await this.writes.write(changes)).entries()) {
      const { key } = changes[i]!;
      if (verdict.outcome === 'rejected') outcomes.set(key, { kind: 'rejected', now: verdict.code });
      else outcomes.set(key, { kind: verdict.outcome === 'left' ? 'left' : 'written' });
    }
  }
}
