import type { Kafka, Message } from 'kafkajs';

/** Writes records to a topic that is there, in their order, each once, on every replica before it returns. Fails with what kafkajs fails with. */
export async function sendRecords(kafka: Kafka, topic: string, batches: Iterable<Message[]>): Promise<void> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  try {
    await producer.connect();
    for (const messages of batches) await producer.send({ topic, messages, acks: -1 });
  } finally {
    await producer.disconnect().catch(() => {});
  }
}
