import { setTimeout as sleep } from 'node:timers/promises';
import { canaryValue, plantCanaries } from './canaries.ts';
import type { Pacer } from './pacer.ts';
import type { ProtectedColumn } from './protected-columns.ts';
import type { Random } from './random.ts';
import type { Row, RowValue, Table } from './row.ts';
import { ConnectionLost, type Session, StatementFailed } from './session.ts';
import { type InnerTransaction, OpenTransaction, Skipped, type Transaction } from './transaction.ts';
import type { TrafficTally, TransactionKind } from './traffic-report.ts';

/**
 * Everybody holds this lock shared for a transaction; renaming a product, which cascades into rows of all
 * customers, holds it alone. With one customer's rows changed only under a lock on the customer, and several
 * customers locked in ascending order, no two transactions can deadlock.
 */
const gate = 7_270_011;
const retryDelayMs = 200;

export interface LaneOptions {
  readonly random: Random;
  readonly tally: TrafficTally;
  readonly pacer: Pacer;
  /** The second serves interleaved transactions alone. */
  readonly sessions: readonly [Session, Session];
  readonly onError: (error: StatementFailed) => void;
}

/** One of several actors: its own customers, its own randomness, one thing after another. */
export class Lane {
  readonly random: Random;
  /** Ids of the customers this lane works on. */
  readonly customers: string[] = [];
  readonly #options: LaneOptions;
  #run = 0n;
  #tags = 0;

  constructor(options: LaneOptions) {
    this.random = options.random;
    this.#options = options;
  }

  /** Takes up these customers; `run` is a number that no other lane or run on this database has. */
  begin(run: bigint, customers: readonly string[]): void {
    this.#run = run;
    this.customers.push(...customers);
  }

  /** A customer of this lane. */
  customer(): string {
    if (this.customers.length === 0) throw new Skipped();
    return this.random.pick(this.customers);
  }

  /** A canary for the column half of the time, else what the row has. */
  protect(column: ProtectedColumn, plain: RowValue): RowValue {
    return this.random.chance(0.5) ? canaryValue(column, this.tag()) : plain;
  }

  /** The row with all its canaries. */
  plant(table: Table, row: Row): Row {
    return plantCanaries(table, row, this.tag(), this.random.chance(0.2) ? this.random : undefined);
  }

  /** The row, in one case of three with all its canaries. */
  maybePlant(table: Table, row: Row): Row {
    return this.random.chance(1 / 3) ? this.plant(table, row) : row;
  }

  /**
   * Makes a key or a canary unique, also among runs with one seed on one database: the rest of what a lane does is
   * given by its seed.
   */
  tag(): string {
    return `t${this.#run.toString(36)}_${(++this.#tags).toString(36)}`;
  }

  /** A uuid that no sample has (its variant differs) and no other lane or run. */
  uuid(): string {
    const hex =
      this.#run.toString(16).padStart(16, '0').slice(-16) + (++this.#tags).toString(16).padStart(14, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-b${hex.slice(15, 18)}-${hex.slice(18)}`;
  }

  /** A word to shuffle rows by. */
  salt(): string {
    return this.random.bytes(4).toString('hex');
  }

  /**
   * Runs a story to its end. A transaction that could not be done ends the story; the lane goes on with the next.
   */
  async tell(story: (lane: Lane) => Promise<void>): Promise<void> {
    try {
      await story(this);
    } catch (error) {
      if (error instanceof Skipped) return;
      if (error instanceof StatementFailed) this.#options.onError(error);
      else if (!(error instanceof ConnectionLost)) throw error;
      await sleep(retryDelayMs, undefined, { signal: this.#options.pacer.stopped }).catch(() => undefined);
    }
  }

  /** A transaction under the shared gate, or alone. */
  async transaction<T>(
    kind: TransactionKind,
    body: (tx: Transaction) => Promise<T>,
    options: { alone?: boolean; rollback?: boolean } = {},
  ): Promise<T> {
    await this.#options.pacer.turn();
    const lock = options.alone ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
    const [session] = this.#options.sessions;
    const open = new OpenTransaction(session, kind, this.#options.tally);
    return open.run(`BEGIN; SELECT ${lock}(${gate})`, body, options.rollback ? 'ROLLBACK' : 'COMMIT');
  }

  /**
   * Two transactions at once, on two connections; the inner one begins and ends within the outer one, whose gate
   * covers it (a second wait at the gate could wait for the first forever).
   */
  async interleave(body: (outer: Transaction, inner: InnerTransaction) => Promise<void>): Promise<void> {
    const second = this.#options.sessions[1];
    await this.transaction('interleaved', async (outer) => {
      const inner = new OpenTransaction(second, 'interleaved', this.#options.tally);
      try {
        await body(outer, inner);
      } catch (error) {
        await inner.abandon();
        throw error;
      }
    });
  }
}
