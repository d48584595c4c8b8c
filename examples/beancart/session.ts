import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError, type QueryResult } from 'pg';
import type { TrafficTally } from './traffic-report.ts';

/** The connection went away; what was under way may or may not have happened. */
export class ConnectionLost extends Error {}
/** Postgres refused a statement. Carries the SQLSTATE alone: a driver's message quotes values. */
export class StatementFailed extends Error {
  readonly sqlState: string;
  constructor(sqlState: string) {
    super(`statement refused with SQLSTATE ${sqlState}`);
    this.sqlState = sqlState;
  }
}

const connectTimeoutMs = 10_000;
const goodbyeMs = 500;

/** One connection to Postgres, opened when first used and again after it was lost. */
export class Session {
  readonly #connectionString: string;
  readonly #tally: TrafficTally;
  #client: Client | undefined;
  #socket = new Socket();
  #ended = false;

  constructor(connectionString: string, tally: TrafficTally) {
    this.#connectionString = connectionString;
    this.#tally = tally;
  }

  /** Runs one statement; throws {@link ConnectionLost} or {@link StatementFailed}, both already counted. */
  async query(sql: string, params?: readonly unknown[]): Promise<QueryResult<Record<string, unknown>>> {
    if (this.#ended) throw new ConnectionLost();
    const wasOpen = this.#client !== undefined;
    try {
      this.#client ??= await this.#connect();
      return await this.#client.query<Record<string, unknown>>(sql, params ? [...params] : undefined);
    } catch (error) {
      // What the server says is a DatabaseError; all else that comes out of the driver is about the connection.
      const sqlState = error instanceof DatabaseError ? (error.code ?? 'unknown') : undefined;
      if (sqlState === undefined || endsConnection(sqlState)) {
        await this.#close();
        if (wasOpen) this.#tally.reconnect();
        throw new ConnectionLost();
      }
      this.#tally.failure(sqlState);
      throw new StatementFailed(sqlState);
    }
  }

  /** Rolls back what is open, if anything is; not counted. */
  async rollback(): Promise<void> {
    await this.#client?.query('ROLLBACK').catch(() => this.#close());
  }

  /** Ends the connection, also one that hangs, and opens no other. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#close();
  }

  /** A server that hangs does not answer a goodbye. */
  async #close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    const goodbye = client?.end().catch(() => undefined);
    await Promise.race([goodbye, sleep(goodbyeMs, undefined, { ref: false })]);
    this.#socket.destroy();
  }

  async #connect(): Promise<Client> {
    this.#socket = new Socket();
    const client = new Client({
      stream: () => this.#socket,
      connectionString: this.#connectionString,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: 'beancart',
    });
    // A loss while idle shows at the next statement; without a listener it would end the process.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}

/** SQLSTATEs with which Postgres ends a connection or does not open one: class 08, shutdown, crash, starting up. */
function endsConnection(sqlState: string): boolean {
  return sqlState.startsWith('08') || ['57P01', '57P02', '57P03', '57P05'].includes(sqlState);
}
