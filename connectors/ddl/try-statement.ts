import type { ClientBase } from 'pg';

/** What Postgres said to a statement that was tried. */
export interface Tried {
  readonly statement: string;
  readonly sqlstate: string;
}

/** Longest wait for a lock, and longest time that the statement may hold what it has locked. */
const lockTimeoutMs = 100;
const statementTimeoutMs = 500;

/**
 * Runs a statement in a transaction that is rolled back, and gives the SQLSTATE with which Postgres refuses it; `00000` if it takes it,
 * `55P03` or `57014` where a lock was not to be had, or the time was over. Others wait for its table no longer than both times together.
 */
export async function tryStatement(client: ClientBase, text: string): Promise<string> {
  await client.query('begin');
  try {
    await client.query(
      `set local lock_timeout = ${lockTimeoutMs}; set local statement_timeout = ${statementTimeoutMs}`,
    );
    // The extended protocol takes one statement alone: no COMMIT can come in with it.
    await client.query({ text, queryMode: 'extended' } as { text: string });
    return '00000';
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code;
    throw error;
  } finally {
    await client.query('rollback');
  }
}
