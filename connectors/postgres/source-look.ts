import type { ClientBase, Pool } from 'pg';
import { type PostgresEndpoint, postgresOptions } from '../../pipeline/postgres-options.ts';
import { postgresPool } from '../../pipeline/postgres-pool.ts';
import { isRetriable, LetheError } from '../../schemas/errors.ts';
import { sourceError } from './source-client.ts';

/** What a running processor sees at the source: looked at again when it is old; while the source is away what was seen last holds. */
export class SourceLook<T> {
  private readonly endpoint: PostgresEndpoint;
  private readonly pool: Pool;
  private readonly read: (client: ClientBase) => Promise<T>;
  private readonly now: () => number;
  private seen: { readonly value: T } | undefined;
  private looking: Promise<T> | undefined;
  private lookedMs = -Infinity;

  constructor(
    config: { readonly postgres: PostgresEndpoint },
    read: (client: ClientBase) => Promise<T>,
    now: () => number = () => performance.now(),
  ) {
    this.endpoint = config.postgres;
    this.pool = postgresPool({ ...postgresOptions(config.postgres), max: 1 });
    this.read = read;
    this.now = now;
  }

  /** Not older than so, unless the source is away; the first look must succeed. */
  async latest(maxAgeMs: number): Promise<T> {
    if (this.now() - this.lookedMs < maxAgeMs) return this.seen!.value;
    try {
      return await this.look();
    } catch (error) {
      if (!this.seen || !(error instanceof LetheError) || !isRetriable(error.code)) throw error;
      // Asked again when this is old: not at every call while the source is away.
      this.lookedMs = this.now();
      return this.seen.value;
    }
  }

  /** From a look that begins after the call: one under way may have passed what it is asked for. */
  async fresh(): Promise<T> {
    await this.looking?.catch(() => {});
    return await this.look();
  }

  /** Looks, together with whoever looks already. */
  async look(): Promise<T> {
    return await (this.looking ??= this.lookNow().finally(() => (this.looking = undefined)));
  }

  /** A query of its own; every failure comes out as a LetheError. */
  async query<R>(use: (client: ClientBase) => Promise<R>): Promise<R> {
    try {
      const client = await this.pool.connect();
      try {
        return await use(client);
      } finally {
        client.release();
      }
    } catch (cause) {
      throw sourceError(this.endpoint, cause, 'query');
    }
  }

  async close(): Promise<void> {
    await this.looking?.catch(() => {});
    await this.pool.end();
  }

  private async lookNow(): Promise<T> {
    const value = await this.query(this.read);
    this.seen = { value };
    this.lookedMs = this.now();
    return value;
  }
}
