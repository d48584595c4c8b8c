import type { Config } from '../schemas/config.ts';
import { BrokerConnections } from './broker-connections.ts';
import { CommittedReader, type CommittedRecord } from './committed-reader.ts';
import { createKafka, kafkaError, kafkaErrorType } from './kafka.ts';

type Named = Pick<Config, 'name' | 'kafka'>;

/** A record as it is noted. */
export interface Noted {
  readonly key: string;
  readonly value: string;
}

/**
 * Reads a compacted topic of one partition, in which something is noted outside of where it could be taken back, in the order of writing.
 * Nothing where the topic is not there yet; UNREACHABLE where Kafka does not answer.
 */
export async function* readNoted(config: Named, topic: string): AsyncGenerator<CommittedRecord> {
  const connections = new BrokerConnections(config, 'notes');
  const reader = new CommittedReader(connections);
  try {
    if (!(await isThere(connections, topic))) return;
    for await (const records of reader.read(topic, 0)) yield* records;
  } finally {
    await reader.close();
  }
}

/** Notes them, in their order, on every replica that is there, before it returns. */
export async function writeNoted(config: Named, topic: string, notes: readonly Noted[]): Promise<void> {
  const producer = createKafka(config, 'notes').producer({ allowAutoTopicCreation: false });
  try {
    await producer.connect();
    for (let from = 0; from < notes.length; from += notesOfARequest) {
      const messages = notes.slice(from, from + notesOfARequest).map(({ key, value }) => ({ key, value }));
      await producer.send({ topic, acks: -1, messages });
    }
  } catch (cause) {
    throw kafkaError(cause);
  } finally {
    await producer.disconnect().catch(() => {});
  }
}

/** Of some hundred bytes each: far below what a broker takes at once. */
const notesOfARequest = 1_000;

async function isThere(connections: BrokerConnections, topic: string): Promise<boolean> {
  try {
    await connections.leaders([topic]);
    return true;
  } catch (cause) {
    if (kafkaErrorType(cause) === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    throw kafkaError(cause);
  }
}
