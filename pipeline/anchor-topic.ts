import type { Config } from '../schemas/config.ts';
import { anchorTopic } from '../schemas/names.ts';
import { BrokerConnections } from './broker-connections.ts';
import { CommittedReader } from './committed-reader.ts';
import { createKafka, kafkaError, kafkaErrorType } from './kafka.ts';

type Named = Pick<Config, 'name' | 'kafka' | 'topics'>;

/**
 * What has been noted outside of where it could be taken back: the newest value of each name, in a compacted topic of one partition.
 * Nothing where the topic is not there yet; UNREACHABLE where Kafka does not answer.
 */
export async function readAnchors(config: Named): Promise<ReadonlyMap<string, string>> {
  const connections = new BrokerConnections(config, 'anchors');
  const reader = new CommittedReader(connections);
  const found = new Map<string, string>();
  try {
    if (!(await isThere(connections, anchorTopic(config)))) return found;
    for await (const records of reader.read(anchorTopic(config), 0)) {
      for (const { key, value } of records) {
        if (value) found.set(key, value.toString());
        else found.delete(key);
      }
    }
    return found;
  } finally {
    await reader.close();
  }
}

/** Notes it, on every replica that is there, before it returns. */
export async function writeAnchor(config: Named, name: string, value: string): Promise<void> {
  const producer = createKafka(config, 'anchors').producer({ allowAutoTopicCreation: false });
  try {
    await producer.connect();
    await producer.send({ topic: anchorTopic(config), acks: -1, messages: [{ key: name, value }] });
  } catch (cause) {
    throw kafkaError(cause);
  } finally {
    await producer.disconnect().catch(() => {});
  }
}

async function isThere(connections: BrokerConnections, topic: string): Promise<boolean> {
  try {
    await connections.leaders([topic]);
    return true;
  } catch (cause) {
    if (kafkaErrorType(cause) === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    throw kafkaError(cause);
  }
}
