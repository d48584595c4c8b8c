import { VerifyError } from '../verify-error.ts';
import type { Fetched, KafkaCluster, TopicPartition } from './cluster.ts';
import { isAbortMarker, type KafkaRecord, recordBatches, recordsOf } from './record-batch.ts';

/**
 * Every committed record of a partition from its start to where it stood when the reading began; what was rolled
 * back is left out, as it is for any reader of committed records.
 */
export async function* committedRecords(
  cluster: KafkaCluster,
  at: TopicPartition,
): AsyncGenerator<KafkaRecord> {
  const end = await cluster.lastStableOffset(at);
  let next = await cluster.earliestOffset(at);
  while (next < end) {
    const fetched = await cluster.fetch(at, next, 1);
    if (!fetched) {
      // Purged under our feet: go on where the log now starts.
      next = await cluster.earliestOffset(at);
      continue;
    }
    const from = next;
    for (const { record, after } of committedIn(fetched)) {
      next = after;
      if (record && record.offset >= from && record.offset < end) yield record;
    }
    if (next === from) {
      // Compaction may leave nothing up to the end; anything else is a record we cannot read.
      if (fetched.bytes.length === 0) return;
      throw new VerifyError(
        'DATA_MALFORMED',
        `${at.topic}-${at.partition} holds a batch of an unknown format`,
      );
    }
  }
}

/** The committed records of an answer; `after` is the offset to go on from. */
function* committedIn(fetched: Fetched): Generator<{ record?: KafkaRecord; after: bigint }> {
  const aborted = [...fetched.aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const rolledBack = new Set<bigint>();
  for (const batch of recordBatches(fetched.bytes)) {
    const after = batch.lastOffset + 1n;
    while (aborted[0] && aborted[0].firstOffset <= batch.lastOffset)
      rolledBack.add(aborted.shift()!.producerId);
    if (batch.control) {
      if (isAbortMarker(batch)) rolledBack.delete(batch.producerId);
    } else if (!(batch.transactional && rolledBack.has(batch.producerId))) {
      for (const record of recordsOf(batch)) yield { record, after: record.offset + 1n };
    }
    yield { after };
  }
}
