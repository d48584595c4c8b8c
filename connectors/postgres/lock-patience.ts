import type { ClientBase } from 'pg';

/**
 * A statement that waits for a lock makes every later one on the table wait behind it. So it waits shortly and
 * often: the application is held up for this long at most, never until somebody's long transaction ends.
 */
const lockTimeoutMs = 200;
const attempts = 50;
const pauseMs = 400;

/** Runs the statements in one transaction, trying again while a lock is not to be had. */
export async function inShortTransaction(client: ClientBase, statements: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query('begin');
      await client.query(`set local lock_timeout = '${lockTimeoutMs}ms'`);
      for (const statement of statements) await client.query(statement);
      await client.query('commit');
      return;
    } catch (error) {
      await client.query('rollback');
      const code = (error as { code?: unknown }).code;
      const locked = code === '55P03' || code === '40P01';
      if (!locked || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
    }
  }
}
