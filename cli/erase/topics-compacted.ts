import { uuidBytes } from '../../keys/uuid.ts';
import { incomplete } from '../../erasure/incomplete.ts';
import type { OpenErasure, StepWork } from '../../erasure/runner.ts';
import { createPayloadOpener } from '../../keys/payload-sealer.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import { grouped } from '../../pipeline/grouped.ts';
import { purgeLetters } from '../../pipeline/purge-letters.ts';
import { rollSegments } from '../../pipeline/segment-roll.ts';
import type { KeyedRecords } from '../../pipeline/superseded-values.ts';
import { compactPast } from '../../pipeline/topic-compaction.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import * as names from '../../schemas/names.ts';
import { withBox } from '../dlq/open-mail.ts';
import { SubjectLetters } from '../dlq/subject-letters.ts';
import { datasetsOf, type ErasureContext, keysIn, keysOfOthersIn, typesOf } from './context.ts';
import { captured, rawPurged } from './raw-purged.ts';
import { sealedAside } from './sealed-aside.ts';
import { settleParked, waitingTables } from './settle-parked.ts';

const limitMs = 300_000;

/**
 * No reader of a topic gets anything of the persons any more: raw records are purged, letters settled, rows in waiting let go, and tombstones have
 * taken their values.
 */
export function topicsCompactedWork(context: ErasureContext, hurry: TopicPace): StepWork {
  const { config } = context.project;
  return async (erasures, signal) => {
    const datasets = datasetsOf(context, typesOf(erasures));
    const letters = await settleLetters(context, datasets, erasures);
    if (waitingTables(context, typesOf(erasures)).length > 0) await captured(config, signal);
    await rawPurged(config, datasets, signal);
    // What was under way is in its place by now.
    const parked = await settleParked(context, erasures, typesOf(erasures));
    const reader = new CommittedReader(new BrokerConnections(config, 'erase'));
    try {
      const ids = erasures.flatMap(({ inventory: { keyId } }) => (keyId ? [uuidBytes(keyId)] : []));
      const own: KeyedRecords[] = [];
      const moved: KeyedRecords[] = [];
      for (const dataset of datasets) {
        const keys = new Set(keysIn(erasures, dataset.table));
        const theirs = keysOfOthersIn(erasures, dataset.table);
        for (const { topic, partition, next: below } of await reader.ends([
          names.cleanTopic(config, dataset.table),
        ])) {
          const holding = await keysHolding(reader, { topic, partition }, ids, keys);
          const others = new Set([...holding, ...theirs]);
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
      // What waited, and what was looked up: of rows that the source keeps the latter stays, since others are judged by them.
      const aside = await compact(await sealedAside(context, reader, erasures));
      if (live > 0) throw incomplete('records of clean topics that no tombstone replaces', live);
      return erasures.map(({ inventory }) => ({
        evidence: {
          valuesCompacted: superseded + before.superseded,
          sealedValuesCompacted: aside.superseded,
          milliseconds: tookMs + before.tookMs + aside.tookMs,
          lettersSettled: letters,
          waitingSettled: parked,
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
  const values = erasures.flatMap(({ inventory }) =>
    inventory.values.map(({ bytes }) => Buffer.from(bytes, 'base64')),
  );
  const own = new SubjectLetters(config, datasets, keys, values);
  const places = datasets.map(({ table }) => ({ table, topic: names.deadLetterTopic(config, table) }));
  const reader = new CommittedReader(new BrokerConnections(config, 'erase'));
  try {
    return await withBox(config, async (box) => {
      const { settled } = await purgeLetters(
        { reader, opener: createPayloadOpener(context.keys), box },
        places,
        (letter, payload) => own.concerns(letter, payload),
      );
      return settled.length;
    });
  } finally {
    await reader.close();
  }
}
