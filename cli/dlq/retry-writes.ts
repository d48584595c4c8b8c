import { setTimeout as sleep } from 'node:timers/promises';
import { CleanReader, type RowDecoder } from '../../pipeline/clean-reader.ts';
import type { CommittedReader, CommittedRecord } from '../../pipeline/committed-reader.ts';
import { type AppliedHistory, ContractRule } from '../../pipeline/contract-rule.ts';
import { grouped } from '../../pipeline/grouped.ts';
import { backoffMs } from '../../pipeline/retry.ts';
import type { CleanChange, Sink } from '../../pipeline/sink.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { isRetriable, LetheError } from '../../schemas/errors.ts';
import type { RetryOutcome } from './retry-outcome.ts';

/** A row that a store did not take: its key in the clean topic, and where the record stood that was rejected. */
export interface RejectedRow {
  readonly key: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface RetryWritesParts {
  readonly reader: Pick<CommittedReader, 'read' | 'ends'>;
  readonly decoder: (id: number) => Promise<RowDecoder>;
  readonly cleanTopic: string;
  /** Of the sink, see `sinkDataset`. */
  readonly dataset: Dataset;
  readonly sink: Sink;
  readonly history: AppliedHistory;
}

const changesOfAWrite = 1_000;
const mostAttempts = 5;
/** A row that changes all the time is written all the time, by its sink. */
const mostRounds = 20;

/**
 * Writes the newest records of rows to a store that did not take them. The clean topic has them: it is compacted, so it holds the last
 * state of every row. A version that the store has passed loses there, so doing it twice changes nothing.
 */
export class RetryWrites {
  private readonly parts: RetryWritesParts;
  private readonly rule: ContractRule;
  private readonly clean: CleanReader;

  constructor(parts: RetryWritesParts) {
    this.parts = parts;
    this.rule = new ContractRule(parts.dataset, parts.history);
    this.clean = new CleanReader(parts.decoder);
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
        const change = await this.read(record);
        if ('kind' in change) outcomes.set(record.key, change);
        else waiting.push(change);
        if (waiting.length < changesOfAWrite) continue;
        await this.write(waiting, outcomes);
        waiting = [];
      }
      await this.write(waiting, outcomes);
      waiting = [];
    }
  }

  private async read({ key, value, headers }: CommittedRecord): Promise<CleanChange | RetryOutcome> {
    const message = {
      key: Buffer.from(key),
      value,
      headers: Object.fromEntries([...headers].map(([name, text]) => [name, Buffer.from(text)])),
    };
    try {
      return await this.clean.read(this.parts.dataset.table, message);
    } catch (error) {
      if (!(error instanceof LetheError) || !unreadable.has(error.code)) throw error;
      return { kind: 'rejected', now: error.code };
    }
  }

  private async write(changes: readonly CleanChange[], outcomes: Map<string, RetryOutcome>): Promise<void> {
    if (changes.length === 0) return;
    const { sink, dataset } = this.parts;
    const writable = await this.rule.writable(changes);
    for (const [i, { key }] of changes.entries()) if (!writable[i]) outcomes.set(key, { kind: 'left' });
    let open = changes.filter((_, i) => writable[i]);
    for (let attempt = 1; open.length > 0; attempt++) {
      const verdicts = await sink.write(dataset, open, this.rule.generation);
      const again: CleanChange[] = [];
      for (const [i, verdict] of verdicts.entries()) {
        const change = open[i]!;
        if (verdict.outcome === 'retriable') {
          if (attempt === mostAttempts || !isRetriable(verdict.code)) {
            throw new LetheError(verdict.code, `${sink.name} did not take all changes of ${dataset.table}`, {
              fix: 'Run it again when the store works: what was written stays, and counts once.',
            });
          }
          again.push(change);
        } else if (verdict.outcome === 'rejected') {
          outcomes.set(change.key, { kind: 'rejected', now: verdict.code });
        } else outcomes.set(change.key, { kind: 'written' });
      }
      open = again;
      if (open.length > 0) await sleep(backoffMs(attempt, Math.random()));
    }
  }
}

/** Of a clean record: the sink would reject it again. */
const unreadable: ReadonlySet<string> = new Set(['RECORD_MALFORMED', 'SCHEMA_UNKNOWN', 'SCHEMA_UNEXPECTED']);
