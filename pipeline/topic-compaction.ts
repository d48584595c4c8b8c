import { setTimeout as sleep } from 'node:timers/promises';
import { LetheError } from '../schemas/errors.ts';
import type { CommittedReader } from './committed-reader.ts';
import type { PartitionPlace } from './segment-roll.ts';
import { type KeyedRecords, keysWithValues, stillThere } from './superseded-values.ts';

/** What drives compaction; the composition root passes it in. */
export interface CompactionParts {
  readonly reader: Pick<CommittedReader, 'read'>;
  /** Gives the topics settings under which segments close and are compacted at once. */
  readonly hurry: (topics: readonly string[]) => Promise<void>;
  /** Gives them their own settings back. */
  readonly relax: (topics: readonly string[]) => Promise<void>;
  /** Appends to the partitions, so that a segment whose time is up is closed; see {@link rollSegments}. */
  readonly roll: (places: readonly PartitionPlace[]) => Promise<void>;
}

export interface CompactionOptions {
  readonly signal: AbortSignal;
  /** It gives up after so long. */
  readonly limitMs: number;
  /** Told, at the start and after each look, how many values may still be there. */
  readonly onProgress?: (left: number) => void;
}

/** What compaction took away, in numbers alone. */
export interface CompactionEvidence {
  readonly partitions: number;
  /** Values under the keys that later records replaced, when it began. */
  readonly superseded: number;
  /** Keys whose last record has a value: of those nothing newer is known, and that value stays. */
  readonly live: number;
  readonly rolls: number;
  /** Milliseconds. */
  readonly tookMs: number;
}

const firstPauseMs = 1_000;
const longestPauseMs = 15_000;

interface Open {
  readonly place: KeyedRecords;
  readonly offsets: readonly bigint[];
}

/**
 * Resolves when no reader of a compacted topic gets a value under these keys that a later record below the given offset replaces. Kafka
 * compacts when it likes, and never the segment that it writes to: so segments are made to close, and the cleaner to hurry, until the
 * values are gone. The broker removes the files themselves after the topic's `file.delete.delay.ms`.
 *
 * Cut short, it is called again: nothing of it is kept but the settings, which the next call, or the next `lethe apply`, gives back. Fails with
 * SERVER_FAILED where the limit passes.
 */
export async function compactPast(
  { reader, hurry, relax, roll }: CompactionParts,
  places: readonly KeyedRecords[],
  { signal, limitMs, onProgress }: CompactionOptions,
): Promise<CompactionEvidence> {
  const startedMs = performance.now();
  let open: Open[] = [];
  let [live, rolls] = [0, 0];
  for (const place of places) {
    signal.throwIfAborted();
    const found = await keysWithValues(reader, place);
    live += found.live;
    if (found.superseded.length > 0) open.push({ place, offsets: found.superseded });
  }
  const superseded = countOf(open);
  const topics = [...new Set(places.map(({ topic }) => topic))];
  if (superseded > 0) await hurry(topics);
  try {
    for (let pauseMs = firstPauseMs; open.length > 0; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      onProgress?.(countOf(open));
      if (performance.now() - startedMs > limitMs) throw gaveUp(open, limitMs);
      await roll(open.map(({ place: { topic, partition } }) => ({ topic, partition })));
      rolls++;
      await sleep(pauseMs, undefined, { signal });
      const looked: Open[] = [];
      for (const { place, offsets } of open)
        looked.push({ place, offsets: await stillThere(reader, place, offsets) });
      open = looked.filter(({ offsets }) => offsets.length > 0);
    }
    onProgress?.(0);
  } finally {
    // Also where nothing was to be done: an earlier call may have been cut short.
    await relax(topics);
  }
  const tookMs = Math.round(performance.now() - startedMs);
  return { partitions: places.length, superseded, live, rolls, tookMs };
}

function countOf(open: readonly Open[]): number {
  return open.reduce((sum, { offsets }) => sum + offsets.length, 0);
}

function gaveUp(open: readonly Open[], limitMs: number): LetheError {
  const topics = [...new Set(open.map(({ place }) => place.topic))].join(', ');
  return new LetheError('SERVER_FAILED', `Kafka did not compact ${topics} within ${limitMs / 1_000} s`, {
    fix: 'Look whether the brokers’ log cleaner runs (log-cleaner.log), and whether a transaction is left open there.',
  });
}
