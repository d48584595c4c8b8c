import { setTimeout as sleep } from 'node:timers/promises';
import { CleanReader, type RowDecoder } from '../pipeline/clean-reader.ts';
import type { CommittedRecord } from '../pipeline/committed-reader.ts';
import { type AppliedHistory, ContractRule } from '../pipeline/contract-rule.ts';
import { backoffMs } from '../pipeline/retry.ts';
import type { CleanChange, Sink, Verdict } from '../pipeline/sink.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { type ErrorCode, isRetriable, LetheError } from '../schemas/errors.ts';

export interface CleanWritesParts {
  readonly decoder: (id: number) => Promise<RowDecoder>;
  /** Of the sink, see `sinkDataset`. */
  readonly dataset: Dataset;
  readonly sink: Sink;
  readonly history: AppliedHistory;
}

/** What became of a change for good; `left`: it is of an older contract, whose rows are read again. */
export type FinalVerdict =
  | { readonly outcome: 'written' | 'stale' | 'left' }
  | { readonly outcome: 'rejected'; readonly code: ErrorCode };

const mostAttempts = 5;

/** Writes records of a clean topic to a store for a command: beside the sink that runs, by its rules, and without its patience. */
export class CleanWrites {
  private readonly parts: CleanWritesParts;
  private readonly rule: ContractRule;
  private readonly clean: CleanReader;

  constructor(parts: CleanWritesParts) {
    this.parts = parts;
    this.rule = new ContractRule(parts.dataset, parts.history);
    this.clean = new CleanReader(parts.decoder);
  }

  /** The change of a record, or why no sink would take it. */
  async read({ key, value, headers }: CommittedRecord): Promise<CleanChange | ErrorCode> {
    const message = {
      key: Buffer.from(key),
      value,
      headers: Object.fromEntries([...headers].map(([name, text]) => [name, Buffer.from(text)])),
    };
    try {
      return await this.clean.read(this.parts.dataset.table, message);
    } catch (error) {
      if (!(error instanceof LetheError) || !unreadable.has(error.code)) throw error;
      return error.code;
    }
  }

  /** Verdicts in the order of the changes. SERVER_FAILED or UNREACHABLE while the store is away, TABLE_HALTED under another contract. */
  async write(changes: readonly CleanChange[]): Promise<FinalVerdict[]> {
    if (changes.length === 0) return [];
    const { sink, dataset } = this.parts;
    const writable = await this.rule.writable(changes);
    const final = changes.map((): FinalVerdict => ({ outcome: 'left' }));
    let open = [...changes.keys()].filter((i) => writable[i]);
    for (let attempt = 1; open.length > 0; attempt++) {
      const verdicts = await sink.write(
        dataset,
        open.map((i) => changes[i]!),
        this.rule.generation,
      );
      const again: number[] = [];
      for (const [at, verdict] of verdicts.entries()) {
        if (!isFinal(verdict)) {
          if (attempt < mostAttempts && isRetriable(verdict.code)) again.push(open[at]!);
          else throw this.notTaken(verdict.code);
        } else final[open[at]!] = verdict;
      }
      open = again;
      if (open.length > 0) await sleep(backoffMs(attempt, Math.random()));
    }
    return final;
  }

  private notTaken(code: ErrorCode): LetheError {
    const { sink, dataset } = this.parts;
    return new LetheError(code, `${sink.name} did not take all changes of ${dataset.table}`, {
      fix: 'Run it again when the store works: what was written stays, and counts once.',
    });
  }
}

function isFinal(verdict: Verdict): verdict is Verdict & FinalVerdict {
  return verdict.outcome !== 'retriable';
}

/** Of a clean record: the sink would reject it again. */
const unreadable: ReadonlySet<string> = new Set(['RECORD_MALFORMED', 'SCHEMA_UNKNOWN', 'SCHEMA_UNEXPECTED']);
