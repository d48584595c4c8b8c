/** What a statement does, seen from the pipeline: each is a case of its own on the way to the stores. */
export const statementKinds = [
  'insert',
  'update-kept',
  'update-masked', // or made coarse, redacted, cut to its paths
  'update-hashed', // or tokenised, or encrypted into its own form
  'update-encrypted',
  'update-hidden', // dropped, nulled or unnamed columns alone: nothing of it may come out
  'toast-changed',
  'toast-unchanged',
  'value-to-null',
  'null-to-value',
  'key-change',
  'hashed-key-change',
  'subject-change',
  'delete',
  'delete-cascade',
  'reinsert',
] as const;
export type StatementKind = (typeof statementKinds)[number];

export const transactionKinds = [
  'single',
  'several', // several statements, often on one row
  'order', // an order with its items and shipment
  'bulk', // some hundred rows
  'interleaved', // one of two open at a time, so that their LSNs interleave
  'savepoint', // a part rolled back, the rest committed
  'rolled-back',
] as const;
export type TransactionKind = (typeof transactionKinds)[number];

/** What the traffic did. Counts alone, no value of a row. */
export interface TrafficReport {
  readonly elapsedMs: number;
  /** All that ended as intended, rolled-back ones included. */
  readonly transactions: number;
  readonly byTransaction: Readonly<Record<TransactionKind, number>>;
  /** Committed statements that changed at least one row. */
  readonly statements: Readonly<Record<StatementKind, number>>;
  /** Statements that Postgres refused: 0, whatever reads the WAL. */
  readonly failed: number;
  /** The same by SQLSTATE. */
  readonly failures: Readonly<Record<string, number>>;
  /** Connections lost (a server restart): the application's to bear, so counted apart. */
  readonly reconnects: number;
  /** A source that is held up shows here before anything fails. */
  readonly slowestStatementMs: number;
}

/** Counts what the lanes do. */
export class TrafficTally {
  readonly #startedAt = performance.now();
  readonly #transactions = zeros(transactionKinds);
  readonly #statements = zeros(statementKinds);
  readonly #failures: Record<string, number> = {};
  #reconnects = 0;
  #slowestMs = 0;

  transaction(kind: TransactionKind, statements: readonly StatementKind[]): void {
    this.#transactions[kind]++;
    for (const statement of statements) this.#statements[statement]++;
  }

  failure(sqlState: string): void {
    this.#failures[sqlState] = (this.#failures[sqlState] ?? 0) + 1;
  }

  reconnect(): void {
    this.#reconnects++;
  }

  duration(ms: number): void {
    this.#slowestMs = Math.max(this.#slowestMs, ms);
  }

  report(): TrafficReport {
    return {
      elapsedMs: Math.round(performance.now() - this.#startedAt),
      transactions: sum(this.#transactions),
      byTransaction: { ...this.#transactions },
      statements: { ...this.#statements },
      failed: sum(this.#failures),
      failures: { ...this.#failures },
      reconnects: this.#reconnects,
      slowestStatementMs: Math.round(this.#slowestMs),
    };
  }
}

function zeros<K extends string>(kinds: readonly K[]): Record<K, number> {
  return Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<K, number>;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
