import { insertSql } from './insert-rows.ts';
import type { Row, Table } from './row.ts';
import type { Session } from './session.ts';
import type { StatementKind, TrafficTally, TransactionKind } from './traffic-report.ts';

/** What a transaction has to work on is gone; nothing was changed. */
export class Skipped extends Error {}

/** An open transaction. */
export interface Transaction {
  /** Rows of a query. */
  read(sql: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** The first row's first column as text; without a row the transaction is given up. */
  pick(sql: string, params?: readonly unknown[]): Promise<string>;
  /** Changes rows; counted if there were any. */
  write(kind: StatementKind, sql: string, params?: readonly unknown[]): Promise<number>;
  insert(table: Table, rows: readonly Row[], kind?: StatementKind): Promise<void>;
  /** The same for a row whose identity column is given by Postgres: returns it. */
  insertOne(table: Table, row: Row): Promise<string>;
  /** Does it, and takes it back to a savepoint. */
  discard(body: () => Promise<void>): Promise<void>;
  /** Locks the customer for the rest of the transaction, or gives the transaction up. */
  lockCustomer(id: string): Promise<void>;
}

/** A transaction whose begin and end its user chooses. */
export interface InnerTransaction extends Transaction {
  begin(): Promise<void>;
  commit(): Promise<void>;
}

/** A transaction on a session; counted once it ended as intended. */
export class OpenTransaction implements InnerTransaction {
  readonly #session: Session;
  readonly #kind: TransactionKind;
  readonly #tally: TrafficTally;
  readonly #statements: StatementKind[] = [];

  constructor(session: Session, kind: TransactionKind, tally: TrafficTally) {
    this.#session = session;
    this.#kind = kind;
    this.#tally = tally;
  }

  async run<T>(begin: string, body: (tx: Transaction) => Promise<T>, end: 'COMMIT' | 'ROLLBACK'): Promise<T> {
    let result: T;
    try {
      await this.#session.query(begin);
      result = await body(this);
    } catch (error) {
      await this.abandon();
      throw error;
    }
    await this.#session.query(end);
    this.#tally.transaction(this.#kind, end === 'COMMIT' ? this.#statements : []);
    return result;
  }

  async begin(): Promise<void> {
    await this.#session.query('BEGIN');
  }

  async commit(): Promise<void> {
    await this.#session.query('COMMIT');
    this.#tally.transaction(this.#kind, this.#statements);
  }

  /** Ends it without effect. */
  async abandon(): Promise<void> {
    await this.#session.rollback();
  }

  async read(sql: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return (await this.#session.query(sql, params)).rows;
  }

  async pick(sql: string, params?: readonly unknown[]): Promise<string> {
    const [row] = await this.read(sql, params);
    if (!row) throw new Skipped();
    return String(Object.values(row)[0]);
  }

  async write(kind: StatementKind, sql: string, params?: readonly unknown[]): Promise<number> {
    const startedAt = performance.now();
    const rows = (await this.#session.query(sql, params)).rowCount ?? 0;
    this.#tally.duration(performance.now() - startedAt);
    if (rows > 0) this.#statements.push(kind);
    return rows;
  }

  async insert(table: Table, rows: readonly Row[], kind: StatementKind = 'insert'): Promise<void> {
    await this.write(kind, insertSql(table, rows), [JSON.stringify(rows)]);
  }

  async insertOne(table: Table, row: Row): Promise<string> {
    const id = await this.pick(`${insertSql(table, [row])} RETURNING id`, [JSON.stringify([row])]);
    this.#statements.push('insert');
    return id;
  }

  async discard(body: () => Promise<void>): Promise<void> {
    const kept = this.#statements.length;
    await this.#session.query('SAVEPOINT part');
    await body();
    await this.#session.query('ROLLBACK TO SAVEPOINT part');
    this.#statements.length = kept;
  }

  async lockCustomer(id: string): Promise<void> {
    await this.pick('SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE', [id]);
  }
}
