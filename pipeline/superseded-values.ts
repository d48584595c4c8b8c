import type { CommittedReader } from './committed-reader.ts';
import type { PartitionPlace } from './segment-roll.ts';

/** Records of a partition by their keys, as far as an offset: those behind it do not count. */
export interface KeyedRecords extends PartitionPlace {
  readonly keys: ReadonlySet<string>;
  readonly below: bigint;
}

/** What a partition still has of values under keys. */
export interface FoundValues {
  /** Offsets, in order, of values that a later record with the same key replaces: they are there until Kafka compacts. */
  readonly superseded: readonly bigint[];
  /** How many of the keys have a value in their last record: compaction leaves it. */
  readonly live: number;
}

/** Reads a partition from its start to the offset. */
export async function keysWithValues(
  reader: Pick<CommittedReader, 'read'>,
  { topic, partition, keys, below }: KeyedRecords,
): Promise<FoundValues> {
  const superseded: bigint[] = [];
  /** Offset of the last record of a key, where that has a value. */
  const last = new Map<string, bigint>();
  for await (const records of reader.read(topic, partition, 0n, below)) {
    for (const { offset, key, value } of records) {
      if (offset >= below || !keys.has(key)) continue;
      const before = last.get(key);
      if (before !== undefined) superseded.push(before);
      if (value) last.set(key, offset);
      else last.delete(key);
    }
  }
  return { superseded: superseded.toSorted((a, b) => (a < b ? -1 : 1)), live: last.size };
}

/**
 * Those of the offsets, in order, at which a value still stands. It reads no further than to the first that does, and takes what
 * comes behind it for not looked at: so a partition of any size is asked again and again at the cost of a fetch.
 */
export async function stillThere(
  reader: Pick<CommittedReader, 'read'>,
  { topic, partition }: PartitionPlace,
  offsets: readonly bigint[],
): Promise<readonly bigint[]> {
  let left = offsets;
  for (let at = left[0]; at !== undefined; at = left[0]) {
    const found = new Set<bigint>();
    let passed = at;
    for await (const records of reader.read(topic, partition, at, at + 1n)) {
      for (const { offset, value } of records) {
        if (value) found.add(offset);
        if (offset > passed) passed = offset;
      }
    }
    const there = left.filter((offset) => offset > passed || found.has(offset));
    if (there.some((offset) => offset <= passed)) return there;
    left = there;
  }
  return left;
}
