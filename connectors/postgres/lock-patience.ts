import type { ClientBase } from 'pg';

/** How long a transaction waits for a lock, and how often it is tried. */
export interface LockPatience {
  readonly lockTimeoutMs: number;
  readonly attempts: number;
  readonly pauseMs: number;
}

/**
 * A statement that waits for a lock makes every later one on the table wait behind it. So it waits shortly and
 * often: the application is held up for this long at most, never until somebody's long transaction ends.
 */
const shortly: LockPatience = { lockTimeoutMs: 200, attempts: 50, pauseMs: 400 };

/** Runs the statements in one transaction, trying again while a lock is not to be had. */
export function inShortTransaction(client: ClientBase, statements: readonly string[]): Promise<void> {
  return inPatientTransaction(client, shortly, async () => {
    for (const statement of statements) await client.query(statement);
  });
}

/**
 * Runs the work in one transaction, all of it again while a lock is not to be had or another transaction got in between; in the end it
 * throws what the server said, with nothing done.
 */
export async function inPatientTransaction<T>(
  client: ClientBase,
  patience: LockPatience,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query('begin');
      await client.query(`set local lock_timeout = '${patience.lockTimeoutMs}ms'`);
      const result = await work();
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback');
      const isInTheWay = inTheWay.has((error as { code?: unknown }).code);
      if (!isInTheWay || attempt === patience.attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, patience.pauseMs * (0.5 + Math.random())));
    }
  }
}

/** A lock that was not to be had, a deadlock, and a transaction that cannot be put in order with others. */
const inTheWay: ReadonlySet<unknown> = new Set(['55P03', '40P01', '40001']);
