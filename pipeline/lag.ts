import type { Admin } from 'kafkajs';

/** How far a group is in one partition. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Next offset the group reads; undefined where it has committed none. */
  readonly committed: bigint | undefined;
  readonly metadata: string | null;
  /** The offset after the last record. */
  readonly end: bigint;
  /** Offsets still to read: an upper bound of records, since transactions take offsets for their markers. */
  readonly lag: bigint;
}

/** Lag of a group over topics; what was deleted before it was committed counts as read. */
export async function groupLag(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
): Promise<PartitionLag[]> {
  if (topics.length === 0) return [];
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  const lags: PartitionLag[] = [];
  for (const { topic, partitions } of committed) {
    const ends = await admin.fetchTopicOffsets(topic);
    for (const { partition, low, high } of ends) {
      const own = partitions.find((p) => p.partition === partition);
      const at = own && own.offset !== '-1' ? BigInt(own.offset) : undefined;
      const from = at !== undefined && at > BigInt(low) ? at : BigInt(low);
      const behind = BigInt(high) - from;
      lags.push({
        topic,
        partition,
        committed: at,
        metadata: own?.metadata ?? null,
        end: BigInt(high),
        lag: behind > 0n ? behind : 0n,
      });
    }
  }
  return lags;
}

export function totalLag(lags: readonly PartitionLag[]): bigint {
  return lags.reduce((sum, l) => sum + l.lag, 0n);
}
