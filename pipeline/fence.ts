import type { BrokerConnections } from './broker-connections.ts';
import { CommittedReader } from './committed-reader.ts';
import { kafkaError } from './kafka.ts';
import { TransactionalProducer } from './transactional-producer.ts';

export interface FenceParts {
  readonly connect: () => BrokerConnections;
  readonly groupId: string;
  /** Input topics of the processors that are fenced. */
  readonly topics: readonly string[];
  readonly transactionalId: (topic: string, partition: number) => string;
}

/** Partitions that are fenced at a time. */
const atOnce = 12;

/**
 * Ends whatever any process has open on these topics' partitions: when it resolves, nothing that was begun before can be committed, by nobody,
 * also not by a process that slept meanwhile. A running process opens its partitions anew and does again what it was at. Returns how many
 * partitions were fenced.
 */
export async function fenceProcessors({
  connect,
  groupId,
  topics,
  transactionalId,
}: FenceParts): Promise<number> {
  const reader = new CommittedReader(connect());
  const places = await endsOf(reader, topics);
  for (let from = 0; from < places.length; from += atOnce) {
    await Promise.all(
      places.slice(from, from + atOnce).map(async ({ topic, partition }) => {
        const scope = { transactionalId: transactionalId(topic, partition), groupId, topics: [topic] };
        const producer = await TransactionalProducer.open(connect(), scope);
        await producer.close();
      }),
    );
  }
  return places.length;
}

async function endsOf(reader: CommittedReader, topics: readonly string[]) {
  try {
    return await reader.ends(topics);
  } catch (cause) {
    throw kafkaError(cause);
  } finally {
    await reader.close();
  }
}
