import { addPartitionsToTxnV3, endTxnV3, initProducerIdV4 } from '@platformatic/kafka';
import type { BrokerConnections } from './broker-connections.ts';
import { whenReady } from './broker-patience.ts';
import { kafkaError } from './kafka.ts';

/** A partition of a topic. */
export interface PartitionPlace {
  readonly topic: string;
  readonly partition: number;
}

const transactionTimeoutMs = 60_000;

/**
 * Appends to partitions without writing a record: a transaction that holds nothing ends with a control batch in each of its partitions.
 * Kafka closes a segment whose time is up by the next append, whatever that is, and compacts closed ones alone. A control batch is no
 * record: every reader passes it, as it passes the one at the end of each transaction of the transform.
 *
 * `transactionalId` is for this alone, since opening it fences its earlier holder. The batches are there soon after it resolves. Fails
 * as {@link kafkaError} says.
 */
export async function rollSegments(
  connections: BrokerConnections,
  transactionalId: string,
  places: readonly PartitionPlace[],
): Promise<void> {
  if (places.length === 0) return;
  try {
    const coordinator = await connections.coordinator('transaction', transactionalId);
    const { producerId, producerEpoch } = await whenReady(() =>
      initProducerIdV4.api.async(coordinator, transactionalId, transactionTimeoutMs, -1n, -1),
    );
    const topics = [...new Set(places.map(({ topic }) => topic))].map((name) => ({
      name,
      partitions: places.filter(({ topic }) => topic === name).map(({ partition }) => partition),
    }));
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics };
    await whenReady(() => addPartitionsToTxnV3.api.async(coordinator, [transaction]));
    await whenReady(() => endTxnV3.api.async(coordinator, transactionalId, producerId, producerEpoch, true));
  } catch (cause) {
    throw kafkaError(cause);
  }
}
