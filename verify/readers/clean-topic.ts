import type { KafkaCluster, TopicPartition } from '../kafka/cluster.ts';
import { committedRecords } from '../kafka/topic-reader.ts';
import { bytesOf, normalFromAvro } from '../rules/avro-value.ts';
import { VerifyError } from '../verify-error.ts';
import type { PlaceForm, PlaceRow } from './place-row.ts';
import type { WireDecoder } from './schema-registry.ts';
import { textOf } from './text-value.ts';

/** Values of the clean topic: as avsc decodes them. */
export const avroForm: PlaceForm = {
  place: 'clean topic',
  normal: (column, value) => normalFromAvro(column.kind, value),
  text: textOf,
  bytes: bytesOf,
  emptyArrayIsNull: false,
};

/** Called with every row that a later record of its key replaced, as long as compaction has left it. */
export type OnSuperseded = (row: PlaceRow) => void;

interface Latest {
  readonly value: Buffer | null;
  readonly partition: number;
}

/**
 * The rows that the topic's records amount to: read committed, the last record of each key, tombstones applied. A key
 * that stands in two partitions is a fault of its row: compaction and order hold within one partition only.
 */
export async function* cleanTopicRows(
  cluster: KafkaCluster,
  decoder: WireDecoder,
  topic: string,
  onSuperseded: OnSuperseded,
): AsyncGenerator<PlaceRow> {
  const latest = new Map<string, Latest>();
  const strayed = new Set<string>();
  const partitions = await cluster.partitions(topic);
  if (partitions.length === 0) throw new VerifyError('SERVER_FAILED', `there is no topic ${topic}`);
  for (const at of partitions) {
    for await (const { key, value } of keyedRecords(cluster, at)) {
      const before = latest.get(key);
      if (before && before.partition !== at.partition) strayed.add(key);
      if (before?.value) onSuperseded(await rowOf(decoder, key, before.value, []));
      latest.set(key, { value, partition: at.partition });
    }
  }
  for (const [key, { value }] of latest) {
    if (value !== null) yield await rowOf(decoder, key, value, strayed.has(key) ? ['partition'] : []);
  }
}

async function* keyedRecords(
  cluster: KafkaCluster,
  at: TopicPartition,
): AsyncGenerator<{ key: string; value: Buffer | null }> {
  for await (const record of committedRecords(cluster, at)) {
    if (record.key === null) {
      throw new VerifyError('DATA_MALFORMED', `${at.topic}-${at.partition} holds a record without a key`);
    }
    yield { key: record.key.toString('utf8'), value: record.value };
  }
}

async function rowOf(decoder: WireDecoder, key: string, value: Buffer, faults: string[]): Promise<PlaceRow> {
  try {
    return { key, cells: await decoder.decode(value), faults };
  } catch (error) {
    if (!(error instanceof VerifyError) || error.code !== 'DATA_MALFORMED') throw error;
    return { key, cells: new Map(), faults: [...faults, 'value'] };
  }
}
