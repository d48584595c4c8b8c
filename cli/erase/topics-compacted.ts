import { uuidBytes } from '../../keys/uuid.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { incomplete } from '../../erasure/incomplete.ts';
import type { OpenErasure, StepWork } from '../../erasure/runner.ts';
import { createPayloadOpener } from '../../keys/payload-sealer.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import { grouped } from '../../pipeline/grouped.ts';
import { createKafka, kafkaError } from '../../pipeline/kafka.ts';
import { purgeLetters } from '../../pipeline/purge-letters.ts';
import { rollSegments } from '../../pipeline/segment-roll.ts';
import type { KeyedRecords } from '../../pipeline/superseded-values.ts';
import { compactPast } from '../../pipeline/topic-compaction.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import * as names from '../../schemas/names.ts';
import { isOfRecord } from '../../schemas/playbooks.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { Registry } from '../../schemas/registry.ts';
import { SourceKeys } from '../../transforms/source-keys.ts';
import { withBox } from '../dlq/open-mail.ts';
import { datasetsOf, type ErasureContext, keysIn, typesOf } from './context.ts';

const limitMs = 300_000;
const lookMs = 200;

/** No reader of a topic gets anything of the persons any more: tombstones have taken their values, raw records are purged, letters settled. */
export function topicsCompactedWork(context: ErasureContext, hurry: TopicPace): StepWork {
  const { config } = context.project;
  return async (erasures, signal) => {
    const datasets = datasetsOf(context, typesOf(erasures));
    const letters = await settleLetters(context, datasets, erasures);
    await rawPurged(config, datasets, signal);
    const reader = new CommittedReader(new BrokerConnections(config, 'erase'));
    try {
      const ids = erasures.flatMap(({ inventory: { keyId } }) => (keyId ? [uuidBytes(keyId)] : []));
      const own: KeyedRecords[] = [];
      const moved: KeyedRecords[] = [];
      for (const dataset of datasets) {
        const keys = new Set(keysIn(erasures, dataset.table));
        for (const { topic, partition, next: below } of await reader.ends([
          names.cleanTopic(config, dataset.table),
        ])) {
          const others = await keysHolding(reader, { topic, partition }, ids, keys);
          if (keys.size > 0) own.push({ topic, partition, keys, below });
          if (others.size > 0) moved.push({ topic, partition, keys: others, below });
        }
      }
      const compact = (places: readonly KeyedRecords[]) =>
        compactPast(
          {
            reader,
            ...hurry,
            roll: async (open) => {
              for (const [topic, own] of grouped(open, (place) => place.topic)) {
                const connections = new BrokerConnections(config, 'erase');
                try {
                  await rollSegments(connections, names.rollTransactionalId(config, topic), own);
                } finally {
                  await connections.close();
                }
              }
            },
          },
          places,
          { signal, limitMs, onProgress: (left) => context.say(`compacting: ${left} values left`) },
        );
      const { superseded, live, tookMs } = await compact(own);
      // Rows that were the persons' once and are others' now: their last records stay.
      const before = await compact(moved);
      if (live > 0) throw incomplete('records of clean topics that no tombstone replaces', live);
      return erasures.map(({ inventory }) => ({
        evidence: {
          valuesCompacted: superseded + before.superseded,
          milliseconds: tookMs + before.tookMs,
          lettersSettled: letters,
        },
        inventory,
      }));
    } finally {
      await reader.close();
    }
  };
}

/** Keys, other than these, of records that hold something encrypted under one of the keys. */
async function keysHolding(
  reader: CommittedReader,
  { topic, partition }: Pick<KeyedRecords, 'topic' | 'partition'>,
  keyIds: readonly Buffer[],
  known: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  await reader.readAll(topic, partition, ({ key, value }) => {
    if (value && !known.has(key) && keyIds.some((id) => value.includes(id))) found.add(key);
  });
  return found;
}

/** Makes topics close their segments and compact them at once; and gives them their own settings back. */
export interface TopicPace {
  readonly hurry: (topics: readonly string[]) => Promise<void>;
  readonly relax: (topics: readonly string[]) => Promise<void>;
}

/** Dead letters that hold a record, or a value, of the persons. */
async function settleLetters(
  context: ErasureContext,
  datasets: readonly Dataset[],
  erasures: readonly OpenErasure[],
): Promise<number> {
  const { config } = context.project;
  const keys = new Map(
    datasets.map(({ table }) => {
      const atSource = erasures.flatMap(({ inventory }) => inventory.sourceKeys[table] ?? []);
      return [table, new Set([...keysIn(erasures, table), ...atSource])];
    }),
  );
  const registry = new Registry(config.registry);
  const readers = new Map(
    datasets.map((dataset) => [dataset.table, new SourceKeys(dataset, (id) => registry.writerSchema(id))]),
  );
  const values = erasures.flatMap(({ inventory }) =>
    inventory.values.map(({ bytes }) => Buffer.from(bytes, 'base64')),
  );
  const places = datasets.map(({ table }) => ({ table, topic: names.deadLetterTopic(config, table) }));
  const reader = new CommittedReader(new BrokerConnections(config, 'erase'));
  try {
    return await withBox(config, async (box) => {
      const { settled } = await purgeLetters(
        { reader, opener: createPayloadOpener(context.keys), box },
        places,
        async ({ table, stage }, { key, value }) => {
          const read = stage === 'transform' ? await sourceKeyIn(readers.get(table), key) : key?.toString();
          if (read !== undefined && keys.get(table)?.has(read)) return true;
          return values.some((bytes) => key?.includes(bytes) === true || value?.includes(bytes) === true);
        },
      );
      return settled.length;
    });
  } finally {
    await reader.close();
  }
}

/** The key of a raw record as the source has it; undefined for what is no key of the table. */
async function sourceKeyIn(reader: SourceKeys | undefined, key: Buffer | null): Promise<string | undefined> {
  try {
    return reader && key ? encodeRecordKey(await reader.read(key)) : undefined;
  } catch (error) {
    if (error instanceof LetheError && isOfRecord(error)) return undefined;
    throw error;
  }
}

/** Waits until the raw topics start behind all that they hold now: what was in the clear there is on its way from the disk. */
async function rawPurged(config: Config, datasets: readonly Dataset[], signal: AbortSignal): Promise<void> {
  const admin = createKafka(config, 'erase').admin();
  try {
    await admin.connect();
    const read = async () => {
      const found = new Map<string, { low: bigint; high: bigint }>();
      for (const { table } of datasets) {
        const topic = names.rawTopic(config, table);
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          found.set(`${topic}/${partition}`, { low: BigInt(low), high: BigInt(high) });
        }
      }
      return found;
    };
    const ends = await read();
    const deadline = performance.now() + limitMs;
    for (;;) {
      const now = await read();
      const left = [...ends].filter(([place, { high }]) => (now.get(place)?.low ?? high) < high);
      if (left.length === 0) return;
      if (performance.now() > deadline)
        throw incomplete('raw topics that are not purged (lethe run purges them)', left.length);
      await sleep(lookMs, undefined, { signal });
    }
  } catch (cause) {
    throw signal.aborted ? cause : kafkaError(cause);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
