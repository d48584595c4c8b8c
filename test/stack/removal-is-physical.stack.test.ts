import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminConnection } from '../../connectors/kafka/admin.ts';
import { topicSpecs } from '../../connectors/kafka/topic-settings.ts';
import { topicResources } from '../../connectors/kafka/topics.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { rollSegments } from '../../pipeline/segment-roll.ts';
import { compactPast } from '../../pipeline/topic-compaction.ts';
import { partitionOf } from '../../pipeline/transactional-producer.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { cleanTopic, clickhouseDatabase, indexAlias, rollTransactionalId } from '../../schemas/names.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { clickhouseCopy } from '../../sinks/clickhouse/copy.ts';
import { removeOlderRows, rowsLeft } from '../../sinks/clickhouse/remove-rows.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { elasticsearchCopy } from '../../sinks/elasticsearch/copy.ts';
import { documentsLeft, removeDocuments } from '../../sinks/elasticsearch/remove-documents.ts';
import type { RemovedRows } from '../../sinks/removal.ts';
import { clickhouseFilesPlace } from '../../verify/places/clickhouse-files.ts';
import { elasticsearchFilesPlace } from '../../verify/places/elasticsearch-files.ts';
import { kafkaSegmentsPlace } from '../../verify/places/kafka-segments.ts';
import { logsPlace } from '../../verify/places/logs.ts';
import { type Place, scanForCanaries } from '../../verify/scan.ts';
import { type ClickhouseHarness, makeClickhouseHarness } from '../support/clickhouse-harness.ts';
import { type ElasticsearchHarness, makeElasticsearchHarness } from '../support/elasticsearch-harness.ts';
import { waitUntil } from '../support/live-pipeline.ts';
import { testConfig } from '../support/sink-config.ts';
import { at, change, testDataset } from '../support/sink-datasets.ts';
import type { SinkHarness } from '../support/sink-suite.ts';
import { acquireStack } from '../support/stack.ts';

const { signal } = new AbortController();
const waiting = { signal, limitMs: 120_000 };
const random = () => randomBytes(20).toString('hex');
const [first, second] = [random(), random()];
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
/** Her rows, twenty of them, and three hundred of others. Her keys are found by a text as well. */
const mark = random();
const hers = numbers(20).map((i) => [`${mark}|${i}`, String(i)]);
const others = numbers(300).map((i) => [`other ${i}`, String(i)]);
const tombstone = at(30);
const removed: RemovedRows = new Map(hers.map((key) => [encodeRecordKey(key), tombstone]));

async function found(place: Place, ...texts: readonly string[]): Promise<number> {
  const canaries = texts.map((text) => ({
    table: 'public.t',
    column: 'c',
    action: 'keep' as const,
    bytes: [Buffer.from(text)],
  }));
  const [report] = await scanForCanaries({ canaries, places: [place] });
  expect(report!.problems).toEqual([]);
  return report!.found;
}

/** What differs between the stores. */
interface Store {
  readonly harness: SinkHarness;
  readonly files: Place;
  readonly remove: (
    rows?: RemovedRows,
  ) => Promise<readonly { readonly before: number; readonly after: number }[]>;
  readonly left: () => Promise<number>;
  /** Replaces what readers see by an empty copy; what is replaced is kept. */
  readonly replace: () => Promise<void>;
}

function registerRemovalTests(name: string, dataset: Dataset, makeStore: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    const row = (key: readonly string[], name: string) => ({ id: key[0], part: Number(key[1]), name, n: 1 });
    const write = (keys: readonly (readonly string[])[], tx: number, text: string | null) =>
      store.harness.sink.write(
        dataset,
        keys.map((key) =>
          change(dataset, key, at(tx), text === null ? null : row(key, `${text} of ${key[1]!}`)),
        ),
      );
    const seen = async () =>
      [...(await store.harness.read(dataset)).keys()].toSorted((a, b) => (a < b ? -1 : 1));

    beforeAll(async () => {
      store = await makeStore();
      for (const resource of store.harness.resources([dataset])) await resource.apply([]);
      for (let i = 0; i < others.length; i += 100) {
        await write(others.slice(i, i + 100), 1 + i, 'neighbour');
        await write(hers.slice(i / 20, i / 20 + 5), 1, first);
      }
      await write(hers, 5, first);
      await write(hers, 6, second);
    });
    afterAll(async () => {
      await store?.harness.end();
    });

    it('leaves what no tombstone of its own replaces', async () => {
      expect(await found(store.files, first, second)).toBeGreaterThan(0);
      const [evidence] = await store.remove();
      expect(evidence!.after).toBeGreaterThanOrEqual(hers.length);
      expect(await store.left()).toBe(evidence!.after);
      expect(await seen()).toHaveLength(others.length + hers.length);
    });

    it('takes every older state off the disk, and nobody else’s row', async () => {
      await write(hers, 30, null);
      expect(await found(store.files, first, second)).toBeGreaterThan(0);
      const ended = new AbortController();
      const traffic = (async () => {
        for (let tx = 1_000; !ended.signal.aborted; tx++)
          await write(others.slice(0, 50), tx, 'busy neighbour');
      })();
      try {
        for (const { after } of await store.remove()) expect(after).toBe(0);
      } finally {
        ended.abort();
        await traffic;
      }
      expect(await store.left()).toBe(0);
      expect(await found(store.files, first, second)).toBe(0);
      expect(await seen()).toEqual(others.map(([id]) => id!).toSorted((a, b) => (a < b ? -1 : 1)));
    });

    it('has nothing to do a second time', async () => {
      for (const { before, after } of await store.remove()) expect([before, after]).toEqual([0, 0]);
      expect(await found(store.files, first, second)).toBe(0);
    });

    it('keeps tombstones, against which an older write loses, also when all is forgotten', async () => {
      await store.harness.forgetDeletes(dataset);
      await write(hers, 6, second);
      expect(await seen()).toHaveLength(others.length);
      await store.remove();
      expect(await found(store.files, first, second)).toBe(0);
      expect(await seen()).toHaveLength(others.length);
    });

    it('leaves the row of somebody who has come back', async () => {
      const back = random();
      await write(hers.slice(0, 1), 40, back);
      for (const { after } of await store.remove()) expect(after).toBe(0);
      expect(await seen()).toHaveLength(others.length + 1);
      expect(await found(store.files, back)).toBeGreaterThan(0);
      const later: RemovedRows = new Map([[encodeRecordKey(hers[0]!), at(50)]]);
      await write(hers.slice(0, 1), 50, null);
      await store.remove(later);
      expect(await found(store.files, back)).toBe(0);
    });

    it('removes rows of what a rebuilding has replaced, where no tombstone comes any more', async () => {
      const late = random();
      await write(hers.slice(1, 2), 60, late);
      await store.replace();
      await write(hers.slice(1, 2), 70, null);
      expect(await found(store.files, late)).toBeGreaterThan(0);
      const later: RemovedRows = new Map([[encodeRecordKey(hers[1]!), at(70)]]);
      expect(await store.remove(later)).toHaveLength(2);
      expect(await found(store.files, late)).toBe(0);
    });
  });
}

const columns = [
  { name: 'id', type: 'text' },
  { name: 'part', type: 'int4' },
  { name: 'name', type: 'text' },
  { name: 'n', type: 'int4' },
];
const dataset = testDataset('public.removed', ['id', 'part'], columns);

registerRemovalTests('elasticsearch', dataset, async () => {
  const { endpoints } = await acquireStack();
  const harness: ElasticsearchHarness = await makeElasticsearchHarness(endpoints.elasticsearch.url);
  const { config, plain } = harness;
  const client = createElasticsearchClient(config.elasticsearch!);
  const copy = elasticsearchCopy(config, dataset, 1, client);
  return {
    harness: { ...harness, end: async () => (await client.close(), harness.end()) },
    files: elasticsearchFilesPlace(config.elasticsearch!),
    remove: async (rows = removed) =>
      (await removeDocuments(client, config, dataset, rows, waiting)).map((one) => ({
        before: one.documentsBefore,
        after: one.documentsAfter,
      })),
    left: () => documentsLeft(client, config, dataset, removed),
    replace: async () => {
      await copy.prepare();
      await copy.hold();
      await copy.swap();
      await copy.keep();
      await plain.indices.refresh({ index: indexAlias(config, dataset.table) });
    },
  };
});

let clickhouse: ClickhouseHarness;

registerRemovalTests('clickhouse', dataset, async () => {
  const { endpoints } = await acquireStack();
  clickhouse = await makeClickhouseHarness(endpoints.clickhouse.url);
  const { config, plain } = clickhouse;
  const client = createClickhouseClient(config.clickhouse!);
  const copy = clickhouseCopy(config, dataset, 1, client);
  return {
    harness: {
      ...clickhouse,
      async end() {
        await expectNoKeyInLogs();
        await client.close();
        await clickhouse.end();
      },
    },
    files: clickhouseFilesPlace(config.clickhouse!),
    remove: async (rows = removed) =>
      (await removeOlderRows(client, config, dataset, rows, random(), waiting)).map((one) => ({
        before: one.rowsBefore,
        after: one.rowsAfter,
      })),
    left: async () => (await rowsLeft(client, config, dataset, removed, random())).rows,
    replace: async () => {
      await copy.prepare();
      await copy.hold();
      await copy.swap();
      await copy.keep();
      await copy.release();
      await plain.command({ query: `SYSTEM FLUSH LOGS` });
    },
  };
});

/** No key stands in what ClickHouse notes of statements, mutations and parts, and no table of keys is left. */
async function expectNoKeyInLogs(): Promise<void> {
  const { config, plain, select } = clickhouse;
  await plain.command({ query: 'SYSTEM FLUSH LOGS' });
  const database = clickhouseDatabase(config);
  const own = await select(
    `SELECT name, toString(uuid) AS uuid FROM system.tables WHERE database = '${database}'`,
  );
  expect(own.map(({ name }) => name).filter((name) => String(name).startsWith('_removed'))).toEqual([]);
  const folders = own.map(({ uuid }) => `/${String(uuid)}/`);
  const elsewhere = (path: string) => !folders.some((folder) => path.includes(folder));
  expect(await found(clickhouseFilesPlace(config.clickhouse!), mark)).toBeGreaterThan(0);
  expect(await found(clickhouseFilesPlace(config.clickhouse!, elsewhere), mark, first, second)).toBe(0);
  const { dir } = await acquireStack();
  expect(await found(logsPlace([join(dir, 'clickhouse', 'clickhouse.log')]), mark, first, second)).toBe(0);
}

describe('a clean topic', () => {
  let config: Config;
  let reader: CommittedReader;
  let connections: BrokerConnections;
  let admin: ReturnType<typeof adminConnection>;
  const topic = () => cleanTopic(config, dataset.table);
  const applyTopic = async (hurried: boolean) => {
    const specs = topicSpecs(config, [dataset], new Set(hurried ? [dataset.table] : []));
    const own = specs.filter((spec) => spec.topic === topic());
    for (const resource of topicResources(own, admin.withAdmin)) await resource.apply([]);
  };
  const send = async (keys: readonly (readonly string[])[], text: string | null) => {
    const producer = createKafka(config, 'test').producer();
    await producer.connect();
    try {
      const messages = keys.map((parts) => {
        const key = encodeRecordKey(parts);
        const partition = partitionOf(Buffer.from(key), config.topics.partitions);
        return { key, partition, value: text === null ? null : `${text} of ${parts[1]!}` };
      });
      await producer.send({ topic: topic(), messages });
    } finally {
      await producer.disconnect();
    }
  };

  beforeAll(async () => {
    const { endpoints } = await acquireStack();
    const base = testConfig({});
    config = {
      ...base,
      kafka: { ...base.kafka, brokers: [...endpoints.kafka.brokers] },
      topics: { ...base.topics, prefix: `${base.name}.`, partitions: 2 },
    };
    admin = adminConnection(config);
    connections = new BrokerConnections(config, 'test');
    reader = new CommittedReader(connections);
    await applyTopic(false);
    await send(others, 'neighbour');
    await send(hers, first);
    await send(hers, second);
    await send(hers, null);
  });
  afterAll(async () => {
    await admin?.withAdmin((own) => own.deleteTopics({ topics: [topic()] }));
    await admin?.close();
    await reader?.close();
  });

  it('loses what tombstones replace, from its files too, and nothing else; no reader sees how', async () => {
    const files = kafkaSegmentsPlace({ kafka: config.kafka, rawTopics: [] });
    expect(await found(files, first, second)).toBe(2 * hers.length);
    const ends = await reader.ends([topic()]);
    const keys = new Set(removed.keys());
    const progress: number[] = [];
    const evidence = await compactPast(
      {
        reader,
        hurry: () => applyTopic(true),
        relax: () => applyTopic(false),
        roll: (places) => rollSegments(connections, rollTransactionalId(config, topic()), places),
      },
      ends.map(({ partition, next }) => ({ topic: topic(), partition, keys, below: next })),
      { signal, limitMs: 120_000, onProgress: (left) => progress.push(left) },
    );
    expect(evidence).toMatchObject({ partitions: 2, superseded: 2 * hers.length, live: 0 });
    expect(progress[0]).toBe(2 * hers.length);
    expect(progress.at(-1)).toBe(0);
    await waitUntil(async () => (await found(files, first, second)) === 0, 60_000, 'files of the topic');
    const records: string[] = [];
    await readTopics(createKafka(config, 'test'), [topic()], ({ message }) => {
      records.push(`${String(message.key)} ${message.value === null ? 'gone' : 'there'}`);
    });
    expect(records.toSorted()).toEqual(
      [
        ...others.map((key) => `${encodeRecordKey(key)} there`),
        ...hers.map((key) => `${encodeRecordKey(key)} gone`),
      ].toSorted(),
    );
  });

  it('has its own settings again, and nothing to lose a second time', async () => {
    const specs = topicSpecs(config, [dataset]).filter((spec) => spec.topic === topic());
    const planned = await Promise.all(topicResources(specs, admin.withAdmin).map((one) => one.diff()));
    expect(planned.flat()).toEqual([]);
    const [end] = await reader.ends([topic()]);
    const asked = {
      topic: topic(),
      partition: end!.partition,
      keys: new Set(removed.keys()),
      below: end!.next,
    };
    const never = () => Promise.reject(new Error('nothing is to be done'));
    const parts = { reader, hurry: never, relax: async () => {}, roll: never };
    expect(await compactPast(parts, [asked], { signal, limitMs: 1 })).toMatchObject({ superseded: 0 });
  });
});
