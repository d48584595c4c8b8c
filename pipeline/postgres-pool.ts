import { Pool, type PoolConfig } from 'pg';

/**
 * A pool whose connections may break at any time: while idle, while verified, and between two statements of who holds one. The next
 * statement fails; an error that nobody hears would end the process.
 */
export function postgresPool(options: PoolConfig): Pool {
  const pool = new Pool(options);
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
