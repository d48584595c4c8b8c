import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { LetheError } from '../schemas/errors.ts';

/** A record of a lookup topic as it stands on disk: still sealed. */
export interface StoredRow {
  readonly version: string;
  readonly sealed: Buffer;
}

/** A record of a lookup topic, to be stored; without a value it takes the row away. */
export interface LookupRecord {
  readonly offset: bigint;
  readonly digest: string;
  readonly row: StoredRow | null;
}

interface TableState {
  readonly topicId: string;
  /** When a process last read the topic up to its end, ms. */
  readonly seenMs: number;
}

const versionChars = 47;
/** How long it is remembered that a row is gone: longer than changes lie unread. */
const goneMs = 24 * 3_600_000;
const mostForgotten = 10_000;

/**
 * Looked-up rows on disk, as they stand in the lookup topics, and the offset after the last record taken in of each partition:
 * both change in one transaction. Processes share the folder. What lies before the stored offset is
 * there already, whoever wrote it, so an older record never beats a newer one.
 */
export class LookupStore {
  private readonly root: RootDatabase<unknown, string>;
  private readonly rows: Database<Buffer, string>;
  private readonly state: Database<unknown, string>;
  /** Rows that are gone, by the time at which that was learnt. */
  private readonly gone: Database<true, string>;

  /** Opens or makes the store in this folder; fails with CONFIG_INVALID where it may not write there. */
  constructor(folder: string) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.root = open<unknown, string>({ path: folder, maxDbs: 3, noSubdir: false });
      this.rows = this.root.openDB<Buffer, string>({ name: 'rows', encoding: 'binary' });
      this.state = this.root.openDB<unknown, string>({ name: 'state', encoding: 'json' });
      this.gone = this.root.openDB<true, string>({ name: 'gone', encoding: 'json' });
    } catch (cause) {
      const code = (cause as { code?: unknown }).code;
      throw new LetheError(
        'CONFIG_INVALID',
        `the folder of state cannot be written to (${typeof code === 'string' ? code : 'no code'})`,
        { fix: 'Give this user the right to write to `state` of lethe.yaml, or name another folder.' },
      );
    }
  }

  /** The row that is called so; undefined where none is known. */
  get(table: string, digest: string): StoredRow | undefined {
    const found = this.rows.get(rowKey(table, digest));
    if (!found || isGone(found)) return undefined;
    return { version: found.toString('latin1', 0, versionChars), sealed: found.subarray(versionChars) };
  }

  has(table: string, digest: string): boolean {
    const found = this.rows.get(rowKey(table, digest));
    return found !== undefined && !isGone(found);
  }

  /** Was there such a row, not long ago? */
  wasDeleted(table: string, digest: string): boolean {
    const found = this.rows.get(rowKey(table, digest));
    return found !== undefined && isGone(found);
  }

  /** The offset from which the partition is to be read. */
  next(table: string, partition: number): bigint {
    return BigInt((this.state.get(offsetKey(table, partition)) as string | undefined) ?? 0);
  }

  /**
   * Makes sure that what is stored of the table is of this topic, no further than its ends, and no older than the topic remembers
   * deletions; else throws it away.
   */
  async reconcile(
    table: string,
    topicId: string,
    ends: readonly { readonly partition: number; readonly next: bigint }[],
    nowMs: number,
    longestAwayMs: number,
  ): Promise<void> {
    await this.root.transaction(() => {
      const known = this.state.get(table) as TableState | undefined;
      const beyond = ends.some(({ partition, next }) => this.next(table, partition) > next);
      const fits = known?.topicId === topicId && !beyond && nowMs - known.seenMs < longestAwayMs;
      if (!fits) {
        for (const key of Array.from(this.rows.getKeys(range(table)))) this.rows.removeSync(key);
        for (const { partition } of ends) this.state.removeSync(offsetKey(table, partition));
      }
      this.state.putSync(table, { topicId, seenMs: nowMs } satisfies TableState);
    });
  }

  /** Notes that a process has read everything of the table, and forgets some of what is gone for long. */
  async seen(table: string, nowMs: number): Promise<void> {
    await this.root.transaction(() => {
      const known = this.state.get(table) as TableState | undefined;
      if (known) this.state.putSync(table, { ...known, seenMs: nowMs } satisfies TableState);
      const old = this.gone.getKeys({ end: goneKey(nowMs - goneMs, ''), limit: mostForgotten });
      for (const key of Array.from(old)) {
        const row = key.slice(key.indexOf('/') + 1);
        const found = this.rows.get(row);
        if (found && isGone(found)) this.rows.removeSync(row);
        this.gone.removeSync(key);
      }
    });
  }

  /**
   * Takes in records that were read from offset `from` on; `next` is the one after them. Says from where to read on: another
   * process may have gone farther, or have thrown the store away.
   */
  async apply(
    table: string,
    partition: number,
    from: bigint,
    records: readonly LookupRecord[],
    next: bigint,
    nowMs = Date.now(),
  ): Promise<bigint> {
    return this.root.transaction(() => {
      const stored = this.next(table, partition);
      if (stored < from || next <= stored) return stored;
      for (const { offset, digest, row } of records) {
        if (offset < stored) continue;
        const key = rowKey(table, digest);
        if (!row) this.gone.putSync(goneKey(nowMs, key), true);
        this.rows.putSync(key, row ? Buffer.concat([textOf(row.version), row.sealed]) : goneRow);
      }
      this.state.putSync(offsetKey(table, partition), String(next));
      return next;
    });
  }

  /** Lets later reads see what has been written until now, by others too. */
  refresh(): void {
    this.root.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.root.close();
  }
}

const textOf = (version: string): Buffer => Buffer.from(version, 'latin1');
/** A row that is gone is kept for a while as a version that there is not, and no more. */
const goneRow = Buffer.alloc(versionChars, '-');
const isGone = (found: Buffer): boolean => found.length <= versionChars;
const goneKey = (ms: number, row: string): string => `${String(ms).padStart(15, '0')}/${row}`;
const rowKey = (table: string, digest: string): string => `${table}/${digest}`;
const offsetKey = (table: string, partition: number): string => `${table}/${partition}`;
/** All rows of a table: `0` comes after `/`, and names of tables hold neither. */
const range = (table: string): { start: string; end: string } => ({ start: `${table}/`, end: `${table}0` });
