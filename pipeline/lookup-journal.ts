import type { Follower } from '../schemas/lookups.ts';
import { header } from '../schemas/record-headers.ts';
import type { Facts, KnownRow, LookupChange } from './lookup.ts';
import type { LookupTables } from './lookup-tables.ts';
import type { OutputRecord } from './transactional-producer.ts';

/** A table whose rows others look up, and who they are. */
export interface LookedUp {
  readonly table: string;
  readonly topic: string;
  readonly followers: readonly Follower[];
  /** The signal that has the rows read again which depend on the rows with these keys. */
  readonly signal: (follower: Follower, keys: readonly string[]) => OutputRecord;
}

/** Keys in one signal: each makes the query longer. */
const keysOfASignal = 200;

/**
 * What one batch of a looked-up table's partition says to those who look its rows up: a record for each change and, where
 * a fact became another one, a signal to read again who depends on it. It must begin when the store has taken in all
 * that the partition wrote before, and is thrown away with its batch.
 */
export class LookupJournal {
  private readonly scope: LookedUp;
  private readonly partition: number;
  private readonly tables: LookupTables;
  private readonly written = new Map<string, KnownRow | undefined>();
  /** By whose rows are to be read again: two facts of one row ask for them once. */
  private readonly moved = new Map<string, { readonly follower: Follower; readonly keys: Set<string> }>();

  constructor(scope: LookedUp, partition: number, tables: LookupTables) {
    this.scope = scope;
    this.partition = partition;
    this.tables = tables;
  }

  /** The record of a change; none for a repetition that is older than what is known. */
  record({ key, facts, version }: LookupChange): OutputRecord | undefined {
    const { table, topic, followers } = this.scope;
    const { cipher } = this.tables;
    const digest = this.tables.digest(table, key);
    const known = this.written.has(digest) ? this.written.get(digest) : this.tables.known(table, digest);
    // Versions are texts in whose order they stand.
    if (known && known.version > version) return undefined;
    const cameBack = this.written.has(digest) ? !known : !known && this.tables.wasDeleted(table, digest);
    for (const follower of followers) {
      if (!moves(follower, known, facts, cameBack)) continue;
      const rows = JSON.stringify([follower.table, follower.column, follower.through]);
      const moved = this.moved.get(rows) ?? { follower, keys: new Set<string>() };
      this.moved.set(rows, moved);
      moved.keys.add(key);
    }
    this.written.set(digest, facts ? { version, facts } : undefined);
    return {
      topic,
      // One writer for each partition, and the order of the input.
      partition: this.partition,
      key: digest,
      value: facts && cipher.seal(table, topic, Buffer.from(JSON.stringify(facts))),
      headers: { [header.version]: version },
    };
  }

  /** To be written last: when a signal is seen, the records before it are there. */
  signals(): OutputRecord[] {
    return [...this.moved.values()].flatMap(({ follower, keys }) => {
      const all = [...keys];
      const signals: OutputRecord[] = [];
      for (let from = 0; from < all.length; from += keysOfASignal) {
        signals.push(this.scope.signal(follower, all.slice(from, from + keysOfASignal)));
      }
      return signals;
    });
  }
}

/** May rows that depend on the fact have gone out with another one? */
function moves(
  { fact, use }: Follower,
  known: KnownRow | undefined,
  facts: Facts | null,
  cameBack: boolean,
): boolean {
  const before = known?.facts[fact];
  // Whoever loses a subject with its row goes with it; a consent that is gone must not be taken for given.
  if (!facts) return before !== undefined && use === 'consent';
  // Under the same key there was another row: what came after this one may have been read with that.
  if (cameBack) return true;
  // A row that comes first, or was known without this fact, moves nobody: who needs it is in waiting.
  return before !== undefined && facts[fact] !== before;
}
