import type { Facts, KnownRow, LookupCipher, Lookups } from './lookup.ts';
import type { LookupFollower } from './lookup-follower.ts';
import type { LookupStore } from './lookup-store.ts';

export interface LookupTablesParts {
  readonly store: Pick<LookupStore, 'get' | 'has' | 'wasDeleted'>;
  readonly follower: Pick<LookupFollower, 'caughtUp' | 'isCaughtUp' | 'changes'>;
  readonly cipher: LookupCipher;
  /** Lookup topics by their tables. */
  readonly topics: ReadonlyMap<string, string>;
}

/** What is known of looked-up rows: sealed on disk, opened one by one. */
export class LookupTables implements Lookups {
  readonly cipher: LookupCipher;
  private readonly parts: LookupTablesParts;

  constructor(parts: LookupTablesParts) {
    this.parts = parts;
    this.cipher = parts.cipher;
  }

  /** See {@link LookupFollower.caughtUp}. */
  async caughtUp(
    tables: readonly string[],
    partition?: number,
    whileWaiting?: () => Promise<void>,
  ): Promise<void> {
    await this.parts.follower.caughtUp(tables, partition, whileWaiting);
  }

  /** See {@link LookupFollower.isCaughtUp}. */
  async isCaughtUp(tables: readonly string[]): Promise<boolean> {
    return this.parts.follower.isCaughtUp(tables);
  }

  /** Grows with every change of a looked-up row. */
  get changes(): number {
    return this.parts.follower.changes;
  }

  find(table: string, key: string): Facts | undefined {
    return this.known(table, this.digest(table, key))?.facts;
  }

  digest(table: string, key: string): string {
    return this.cipher.digest(table, key);
  }

  has(table: string, digest: string): boolean {
    return this.parts.store.has(table, digest);
  }

  wasDeleted(table: string, digest: string): boolean {
    return this.parts.store.wasDeleted(table, digest);
  }

  /** The row that is called so, as the lookup topic has it. */
  known(table: string, digest: string): KnownRow | undefined {
    const row = this.parts.store.get(table, digest);
    if (!row) return undefined;
    const opened = this.cipher.open(table, this.parts.topics.get(table)!, row.sealed);
    return { version: row.version, facts: JSON.parse(opened.toString('utf8')) as Facts };
  }
}
