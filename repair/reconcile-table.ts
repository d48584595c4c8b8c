import type { EpochOpener } from '../verify/epoch-opener.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { compareVersions, type Version } from '../schemas/version.ts';
import { decodeRecordKey } from '../schemas/record-key.ts';
import type { ExpectedRow, ExpectedTable } from '../verify/expected-table.ts';
import { rangeOf } from '../verify/range-digests.ts';
import { PartComparison } from './compare-part.ts';
import type { Mismatch, TableReconciliation } from './mismatch.ts';
import type { TopicVersion } from './topic-versions.ts';

/** A row that is to be deleted everywhere, above the version that somebody has of it. */
export interface ExtraRow {
  readonly key: string;
  readonly above: Version;
}

/** What a reconciliation needs of the pipeline; the composition root passes it in. */
export interface ReconcileParts {
  /** Asks the master keys. */
  readonly openEpoch: EpochOpener;
  readonly config: Config;
  readonly dataset: Dataset;
  /** Rows at the source, more or less. */
  readonly estimate: number;
  /** Resolves when every store has what was committed at the source before the call. */
  readonly caughtUp: () => Promise<void>;
  /** What the clean topic has of the rows. */
  readonly topicVersions: (keys: ReadonlySet<string>) => Promise<ReadonlyMap<string, TopicVersion>>;
  /** Has rows read again from the source, by the source's keys; set if there is to be a repair. */
  readonly reread?: (sourceKeys: readonly (readonly string[])[]) => Promise<void>;
  /** Writes tombstones to the clean topic. */
  readonly bury?: (rows: readonly ExtraRow[]) => Promise<void>;
  readonly onProgress?: (text: string) => void;
  readonly signal: AbortSignal;
}

const leastRanges = 1_024;
const mostRanges = 2 ** 20;
/** Rows of a range, about. */
const rowsOfARange = 16;
/** Rows that are held in memory at a time. */
const rowsOfAShare = 500_000;
/** Rows that differ and are looked at again; a table with more is better rebuilt. */
const mostSuspects = 10_000;
/** Keys that one query names at most. */
const mostKeysOfAQuery = 1_000;
/** Looks at rows that change while they are looked at. */
const mostLooks = 20;

/**
 * Compares a table with its stores while changes flow: a row that differs is looked at again when the stores have all that was committed
 * by then, and only counts if the source had the same of it before and after. What counts can be repaired: a row that the source
 * has is read again, and comes with a new version; one that it has not gets a tombstone.
 */
export async function reconcileTable(parts: ReconcileParts): Promise<TableReconciliation> {
  const started = performance.now();
  const { dataset, reread, bury, signal, onProgress = () => undefined } = parts;
  const first = await lookAtAll(parts);
  const suspects = new Set([...first.suspects].slice(0, mostSuspects));
  const found = await confirmed(parts, suspects);
  let left = found;
  if (reread && bury) {
    for (let look = 0; left.length > 0 && look < mostLooks && !signal.aborted; look++) {
      onProgress(`repairing ${left.length} rows`);
      if (!(await repair(parts, left, { reread, bury }))) break;
      await parts.caughtUp();
      left = await confirmed(parts, new Set(left.map(({ key }) => key)));
    }
  }
  return {
    table: dataset.table,
    rows: first.rows,
    compared: first.compared,
    found,
    repaired: found.length - left.length,
    left,
    more: first.suspects.size > suspects.size,
    seconds: Math.round((performance.now() - started) / 100) / 10,
  };
}

/** One look at every row by ranges of their keys' digests, and one at each row of the ranges that differ, so many at a time. */
async function lookAtAll(parts: ReconcileParts) {
  const { estimate, onProgress, signal } = parts;
  const ranges = rangesFor(estimate);
  onProgress?.(`comparing digests of ${ranges} ranges`);
  const { rows, compared, unlike } = await using(parts, (comparison) => comparison.unlikeRanges(ranges));
  const suspects = new Set<string>();
  const shares = Math.ceil((rows / ranges) * (unlike.size / rowsOfAShare)) || Math.sign(unlike.size);
  for (let share = 0; share < shares; share++) {
    signal.throwIfAborted();
    onProgress?.(
      `${unlike.size} of ${ranges} ranges differ: looking at their rows${shares > 1 ? `, part ${share + 1} of ${shares}` : ''}`,
    );
    const holds = (key: string): boolean => {
      const range = rangeOf(key, ranges);
      return unlike.has(range) && range % shares === share;
    };
    const expected = await using(parts, (comparison) => comparison.expected({ holds }));
    const result = await using(parts, (comparison) => comparison.withStores(expected, { holds }));
    for (const { key } of result.mismatches) suspects.add(key);
  }
  return { rows, compared, suspects };
}

/** So many that a row which differs has few neighbours, and that all of them take a few MB. */
function rangesFor(estimate: number): number {
  return 2 ** Math.ceil(Math.log2(Math.min(mostRanges, Math.max(leastRanges, estimate / rowsOfARange))));
}

/**
 * Those of the suspects that differ though nothing of them is under way: the stores had all that was committed when the source was read, and
 * after they were read the source still says the same.
 */
async function confirmed(parts: ReconcileParts, suspects: ReadonlySet<string>): Promise<Mismatch[]> {
  const { caughtUp, signal, onProgress } = parts;
  let open: ReadonlySet<string> = suspects;
  const sure: Mismatch[] = [];
  for (let look = 0; open.size > 0 && look < mostLooks; look++) {
    signal.throwIfAborted();
    onProgress?.(`looking again at ${open.size} rows`);
    const before = await sourceRows(parts, open);
    await caughtUp();
    const { mismatches } = await using(parts, (comparison) =>
      comparison.withStores(before, { holds: (key) => open.has(key), keys: [...open] }),
    );
    const after = await sourceRows(parts, open);
    const moved = new Set([...open].filter((key) => !same(before.rows.get(key), after.rows.get(key))));
    sure.push(...mismatches.filter(({ key }) => !moved.has(key)));
    open = new Set(mismatches.map(({ key }) => key).filter((key) => moved.has(key)));
  }
  return withStale(parts, sure);
}

/** What the source has of the rows with these canonical keys. */
function sourceRows(parts: ReconcileParts, keys: ReadonlySet<string>): Promise<ExpectedTable> {
  const holds = (key: string): boolean => keys.has(key);
  // A key that goes out as it is leads to its row; any other is found by a walk through the table.
  const isClear = parts.dataset.key.every(({ rule }) => rule.action === 'keep');
  const sourceKeys = isClear && keys.size <= mostKeysOfAQuery ? [...keys].map(decodeRecordKey) : undefined;
  return using(parts, (comparison) => comparison.expected({ holds, ...(sourceKeys ? { sourceKeys } : {}) }));
}

/** With a comparison that knows the keys which the key store has by now. */
async function using<T>(
  { config, dataset, openEpoch }: ReconcileParts,
  use: (comparison: PartComparison) => Promise<T>,
): Promise<T> {
  const comparison = new PartComparison(config, dataset.contract, openEpoch);
  try {
    return await use(comparison);
  } finally {
    await comparison.close();
  }
}

function same(a: ExpectedRow | undefined, b: ExpectedRow | undefined): boolean {
  return a && b ? a.digests.equals(b.digests) && a.subject === b.subject : a === b;
}

/** Tells an older version from other values under the right one. */
async function withStale({ topicVersions }: ReconcileParts, found: readonly Mismatch[]): Promise<Mismatch[]> {
  const unlike = new Set(found.filter(({ kind }) => kind === 'different').map(({ key }) => key));
  const newest = await topicVersions(unlike);
  return found.map((mismatch) => {
    const known = newest.get(mismatch.key)?.version;
    if (mismatch.kind !== 'different' || !known || !mismatch.version) return mismatch;
    return compareVersions(mismatch.version, known) < 0 ? { ...mismatch, kind: 'stale' } : mismatch;
  });
}

/** Whether there was anything that it could do. */
async function repair(
  parts: ReconcileParts,
  left: readonly Mismatch[],
  { reread, bury }: Required<Pick<ReconcileParts, 'reread' | 'bury'>>,
): Promise<boolean> {
  const keys = new Set(left.map(({ key }) => key));
  const { rows } = await sourceRows(parts, keys);
  const there = [...rows.values()].flatMap(({ sourceKey }) => (sourceKey ? [sourceKey] : []));
  const gone = new Set([...keys].filter((key) => !rows.has(key)));
  const topic = await parts.topicVersions(gone);
  // Its entry in the ledger is lost, as with a key store of before: that is no reason to delete what the law has kept.
  for (const [key, known] of topic) if (known.isRetained) gone.delete(key);
  if (gone.size > 0) await bury([...gone].map((key) => ({ key, above: newestOf(key, left, topic) })));
  if (there.length > 0) await reread(there);
  return gone.size + there.length > 0;
}

/** The newest version that a store or the topic has of the row. */
function newestOf(key: string, left: readonly Mismatch[], topic: ReadonlyMap<string, TopicVersion>): Version {
  const versions = left.flatMap((m) => (m.key === key && m.version ? [m.version] : []));
  const known = topic.get(key);
  if (known) versions.push(known.version);
  return versions.reduce((a, b) => (compareVersions(a, b) >= 0 ? a : b), {
    epoch: 1n,
    commit: 0n,
    lsn: 0n,
    seq: 0n,
  });
}
