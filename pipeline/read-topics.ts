import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';

/** A record with its place. */
export interface PlacedMessage {
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage;
}

/**
 * Reads topics from their start to where they end now, committed records only, without leaving a group behind. Ends are known by
 * offsets passed, control records included, not by counting.
 */
export async function readTopics(
  kafka: Kafka,
  topics: readonly string[],
  onMessage: (placed: PlacedMessage) => void,
): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map<string, bigint>();
  try {
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(low) < BigInt(high)) ends.set(`${topic}/${partition}`, BigInt(high));
      }
    }
    if (ends.size > 0) await consumeUntil(kafka, topics, ends, onMessage);
  } finally {
    await admin.disconnect();
  }
}

async function consumeUntil(
  kafka: Kafka,
  topics: readonly string[],
  ends: Map<string, bigint>,
  onMessage: (placed: PlacedMessage) => void,
): Promise<void> {
  const groupId = `lethe-read-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 100 });
  await consumer.connect();
  try {
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      // Also told for batches that held nothing but control records.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
        const place = `${payload.topic}/${payload.partition}`;
        const end = ends.get(place);
        if (end !== undefined && BigInt(payload.lastOffset) + 1n >= end) ends.delete(place);
        if (ends.size === 0) resolve();
      });
      consumer
        .subscribe({ topics: [...topics], fromBeginning: true })
        .then(() =>
          consumer.run({
            autoCommit: false,
            eachBatch: async ({ batch }) => {
              const end = ends.get(`${batch.topic}/${batch.partition}`);
              for (const message of batch.messages) {
                if (end !== undefined && BigInt(message.offset) < end) {
                  onMessage({ topic: batch.topic, partition: batch.partition, message });
                }
              }
            },
          }),
        )
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect();
  }
}
