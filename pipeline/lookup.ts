/** What paths read in a row of a looked-up table, as canonical texts by column; null is SQL null. */
export type Facts = Readonly<Record<string, string | null>>;

/** A row of a looked-up table as it is known. */
export interface KnownRow {
  readonly version: string;
  readonly facts: Facts;
}

/** How a path reads rows of other tables. It does not wait: what is needed was made ready before the batch. */
export interface Lookups {
  /** The row of the table whose primary key has this canonical text; undefined where none is known. */
  find(table: string, key: string): Facts | undefined;
  /** What the row is called in topics and on disk: a pseudonym of its key. */
  digest(table: string, key: string): string;
}

/** What a change makes of a row that others look up. */
export interface LookupChange {
  /** Canonical text of the primary key. It does not leave the processor. */
  readonly key: string;
  /** Null where the row was deleted. */
  readonly facts: Facts | null;
  readonly version: string;
}

/** Hides keys and facts, and rows in waiting; the composition root passes in one that uses the key store. */
export interface LookupCipher {
  /**
   * Makes ready the keys for the tables, before each batch: the other methods then answer at once. Fails with
   * KEY_STORE_UNAVAILABLE, to be tried again.
   */
  load(tables: readonly string[]): Promise<void>;
  digest(table: string, key: string): string;
  /** Sealed bytes, bound to the topic. */
  seal(table: string, topic: string, payload: Buffer): Buffer;
  /** The inverse; fails with KEY_STORE_INVALID where the key is another one or the bytes are not those. */
  open(table: string, topic: string, sealed: Buffer): Buffer;
}
