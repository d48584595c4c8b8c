import { parseArgs } from 'node:util';
import { Kafka, logLevel, type Producer } from 'kafkajs';

/*
 * The yardstick for the transform: the same consumer settings, the same batches, a transaction with offsets per batch
 * and one transactional id per partition, and nothing done to a record. A process of its own.
 */
const { values } = parseArgs({
  options: {
    name: { type: 'string' },
    broker: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
  },
});
const { name = '', broker = '', from = '', to = '' } = values;
const groupId = `lethe-${name}-passthrough`;
const kafka = new Kafka({ clientId: groupId, brokers: [broker], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({
  groupId,
  readUncommitted: false,
  sessionTimeout: 15_000,
  heartbeatInterval: 2_000,
  rebalanceTimeout: 30_000,
  maxWaitTimeInMs: 200,
  minBytes: 1,
  maxBytesPerPartition: 4 * 1024 * 1024,
  maxBytes: 32 * 1024 * 1024,
});
const producers = new Map<number, Promise<Producer>>();

async function openProducer(partition: number): Promise<Producer> {
  const transactionalId = `${groupId}-${partition}`;
  const producer = kafka.producer({ transactionalId, maxInFlightRequests: 1, transactionTimeout: 60_000 });
  await producer.connect();
  return producer;
}

consumer.on(consumer.events.GROUP_JOIN, () => process.stderr.write('{"msg":"joined the group"}\n'));
await consumer.connect();
await consumer.subscribe({ topics: [from], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: 12,
  eachBatch: async (payload) => {
    const { batch } = payload;
    const { topic, partition, messages } = batch;
    const opened = producers.get(partition) ?? openProducer(partition);
    producers.set(partition, opened);
    const transaction = await (await opened).transaction();
    const copies = messages.map(({ key, value, headers }) => ({
      key,
      value,
      ...(headers ? { headers } : {}),
    }));
    await transaction.sendBatch({ topicMessages: [{ topic: to, messages: copies }], acks: -1 });
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    await transaction.sendOffsets({
      consumerGroupId: groupId,
      topics: [{ topic, partitions: [{ partition, offset }] }],
    });
    await transaction.commit();
    payload.resolveOffset(batch.lastOffset());
  },
});

process.once('SIGTERM', () => {
  void (async () => {
    await consumer.disconnect();
    for (const opened of producers.values()) await (await opened).disconnect();
  })();
});
