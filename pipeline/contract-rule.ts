import { LetheError } from '../schemas/errors.ts';
import { madeUnder } from '../schemas/retained-row.ts';
import type { CleanChange } from './sink.ts';

/** A contract that a table was under, and the generation of its stores then. */
export interface AppliedGeneration {
  readonly digest: string;
  readonly generation: number;
}

/** The contracts that tables have been under, as the source has them. */
export interface AppliedHistory {
  /** In the order in which they were applied; what was seen last while the source is away. */
  of(table: string): Promise<readonly AppliedGeneration[]>;
  /** The same from a look that begins after the call; fails while the source is away. */
  fresh(table: string): Promise<readonly AppliedGeneration[]>;
}

/** What a sink does with a record: it is written, left for the reread that brings its row again, or the sink itself is too old. */
export type Ruling = 'write' | 'leave' | 'outdated';

/**
 * Rules by the contract that made a record. One that came after the sink's own may hold what the sink does not know, and its store
 * is another. One of an older generation does not fit the store; a delete has nothing that could not fit, and must not be missed.
 */
export function ruleOn(
  history: readonly AppliedGeneration[],
  own: string,
  { contract, row }: Pick<CleanChange, 'contract' | 'row'>,
): Ruling {
  const ownAt = history.findIndex(({ digest }) => digest === own);
  const at = history.findIndex(({ digest }) => digest === madeUnder(contract));
  if (ownAt < 0 || at > ownAt) return 'outdated';
  // What was never applied is older than all that was.
  const generation = history[at]?.generation ?? 1;
  return row !== null && generation < history[ownAt]!.generation ? 'leave' : 'write';
}

/** The rule of one table's sink, and the generation that it writes to. */
export class ContractRule {
  private readonly table: string;
  private readonly digest: string;
  private readonly history: AppliedHistory;
  /** Contracts of records that a look at the source, made after they were read, did not find. */
  private readonly unknown = new Set<string>();
  private current: number | undefined;

  constructor({ table, digest }: { table: string; digest: string }, history: AppliedHistory) {
    this.table = table;
    this.digest = digest;
    this.history = history;
  }

  /** Where what was ruled to be written goes. */
  get generation(): number {
    if (this.current === undefined) throw new Error('nothing was ruled on yet');
    return this.current;
  }

  /** Which of the changes are to be written; TABLE_HALTED, to be tried again, while one of them is not this sink's to write. */
  async writable(changes: readonly CleanChange[]): Promise<boolean[]> {
    let history = await this.history.of(this.table);
    const known = new Set(history.map(({ digest }) => digest));
    const found = new Set(changes.map(({ contract }) => madeUnder(contract)));
    const strange = [...found].filter((digest) => !known.has(digest) && !this.unknown.has(digest));
    if (strange.length > 0) {
      history = await this.history.fresh(this.table);
      for (const digest of strange)
        if (!history.some((own) => own.digest === digest)) this.unknown.add(digest);
    }
    const rulings = changes.map((change) => ruleOn(history, this.digest, change));
    if (rulings.includes('outdated')) {
      throw new LetheError(
        'TABLE_HALTED',
        `records of ${this.table} are under a contract that was applied after the one here, or the one here was not applied`,
      );
    }
    this.current = history.find(({ digest }) => digest === this.digest)?.generation;
    return rulings.map((ruling) => ruling === 'write');
  }
}
