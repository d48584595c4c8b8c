import { ConnectClient } from '../connectors/connect/connect-client.ts';
import { FailedTasks } from '../connectors/connect/failed-tasks.ts';
import { ContractHistory } from '../connectors/postgres/contract-history.ts';
import { SourceGate } from '../connectors/postgres/source-gate.ts';
import { ValueReader } from '../connectors/postgres/value-reader.ts';
import { associatedData, ciphertextOverhead, encryptInto } from '../keys/ciphertext.ts';
import { openSubjectIndex } from '../erasure/open-subject-index.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { createPayloadSealer } from '../keys/payload-sealer.ts';
import { type EncryptionReserve, encryptionReserve } from '../keys/reserve-encryptions.ts';
import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import { BrokerConnections } from '../pipeline/broker-connections.ts';
import { Counters } from '../pipeline/counters.ts';
import { createKafka } from '../pipeline/kafka.ts';
import type { Log } from '../pipeline/log.ts';
import { Outages } from '../pipeline/outage.ts';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import { RawPurge } from '../pipeline/raw-purge.ts';
import type { Sink } from '../pipeline/sink.ts';
import type { BatchLimits } from '../pipeline/write-batcher.ts';
import { SinkProcessor } from '../pipeline/sink-processor.ts';
import type { TransformRoute } from '../pipeline/route-output.ts';
import { TransformProcessor } from '../pipeline/transform-processor.ts';
import { cleanAvroSchema } from '../schemas/clean-schema.ts';
import { type SinkName, sinkNames } from '../schemas/sink-name.ts';
import type { Config } from '../schemas/config.ts';
import { type Dataset, sinkDataset } from '../schemas/dataset.ts';
import * as names from '../schemas/names.ts';
import { Registry } from '../schemas/registry.ts';
import { createTableTransform } from '../transforms/table-transform.ts';
import { openLookups } from './open-lookups.ts';
import { createSink } from './sinks.ts';

export const components = ['transform', ...sinkNames] as const;
export type Component = (typeof components)[number];

/** Processors of one process, running. */
export interface RunningPipeline {
  readonly counters: Counters;
  /** Ends what is under way, commits it or leaves it to be done again, and leaves the groups. */
  stop(): Promise<void>;
}

interface Shared {
  readonly config: Config;
  readonly datasets: readonly Dataset[];
  readonly registry: Registry;
  readonly keys: PostgresKeyStore;
  readonly reserve: EncryptionReserve;
  readonly counters: Counters;
  readonly log: Log;
  readonly outages: Outages;
  readonly history: ContractHistory;
}

/** Starts the named components; the composition root of `lethe run`. */
export async function startPipeline(
  config: Config,
  datasets: readonly Dataset[],
  only: readonly Component[],
  log: Log,
): Promise<RunningPipeline> {
  const shared: Shared = {
    config,
    datasets,
    registry: new Registry(config.registry),
    keys: openKeyStore(config, 4),
    reserve: encryptionReserve(config),
    counters: new Counters(),
    log,
    outages: new Outages(log),
    history: new ContractHistory(config),
  };
  const running: { stop(): Promise<void> }[] = [];
  try {
    if (only.includes('transform')) running.push(await startTransform(shared));
    for (const sink of sinkNames) {
      const processor = only.includes(sink) ? await startSink(shared, sink) : undefined;
      if (processor) running.push(processor);
    }
  } catch (error) {
    await Promise.all(running.map((r) => r.stop()));
    await shared.history.close();
    await shared.keys.close();
    throw error;
  }
  return {
    counters: shared.counters,
    async stop() {
      await Promise.all(running.map((r) => r.stop()));
      await shared.history.close();
      await shared.keys.close();
    },
  };
}

async function startTransform(shared: Shared): Promise<{ stop(): Promise<void> }> {
  const { config, datasets, registry, keys, reserve, log, outages, counters } = shared;
  const gate = new SourceGate(config, datasets, {
    strayed: ({ table, what, fix }) =>
      log.error({ table, what, fix }, 'ALARM: a table does not leave the source as it was applied'),
    returned: (table) =>
      log.warn(
        { table, fix: `lethe reconcile ${table} --repair` },
        'the table is as it was applied again: what changed meanwhile is missing until it is reconciled',
      ),
  });
  const resolver = new ValueReader(postgresOptions(config.postgres), datasets);
  const lookups = openLookups(shared);
  const index = openSubjectIndex(config, keys);
  const routes = await Promise.all(
    datasets.map(async (dataset): Promise<TransformRoute> => {
      const { table } = dataset;
      const transform = createTableTransform({
        dataset,
        cleanSchemaId: await registry.idOf(names.cleanSubject(config, table), cleanAvroSchema(dataset)),
        writerSchema: (id) => registry.writerSchema(id),
        protection: keys,
        cipher: { overhead: ciphertextOverhead, encryptInto, associatedData },
        resolver,
        ...(lookups ? { lookups: lookups.tables } : {}),
        index,
        placeholder: names.unavailablePlaceholder(config),
        onMissing: (columns) => gate.confirm(table, columns),
        onUnnamed: (fields) => log.warn({ table, fields }, 'columns that no contract names are dropped'),
      });
      const own = lookups?.ofRoute(dataset);
      return {
        transform,
        rawTopic: names.rawTopic(config, table),
        cleanTopic: names.cleanTopic(config, table),
        deadLetterTopic: names.deadLetterTopic(config, table),
        ...(own ? { lookups: own } : {}),
      };
    }),
  );
  const kafka = createKafka(config, 'transform', outages);
  const purge = new RawPurge(kafka, names.rawSegmentMs, log, outages);
  const processor = new TransformProcessor({
    kafka,
    connect: () => new BrokerConnections(config, 'transform'),
    groupId: names.transformGroup(config),
    routes,
    transactionalId: (topic, partition) => names.transactionalId(config, topic, partition),
    gate: (table) => gate.check(table),
    sealer: createPayloadSealer(keys, reserve),
    purge,
    signalTopic: names.signalTopic(config),
    counters,
    log,
    outages,
  });
  const tasks = new FailedTasks({
    connect: new ConnectClient(config.connect),
    name: names.connectorName(config),
    log,
    outages,
  });
  gate.start();
  tasks.start();
  lookups?.start();
  await purge.start();
  await processor.start();
  return {
    async stop() {
      tasks.stop();
      await processor.stop();
      await purge.stop();
      await lookups?.stop();
      await resolver.close();
      await index.close();
      await gate.close();
    },
  };
}

/** ClickHouse wants few large inserts; Elasticsearch indexes on while the next request is made. */
const batchLimits: Readonly<Record<SinkName, BatchLimits>> = {
  elasticsearch: { maxChanges: 5_000, maxBytes: 8_000_000, lingerMs: 5, maxWrites: 2 },
  clickhouse: { maxChanges: 20_000, maxBytes: 32_000_000, lingerMs: 50, maxWrites: 1 },
};

async function startSink(shared: Shared, name: SinkName): Promise<{ stop(): Promise<void> } | undefined> {
  const { config, datasets, registry, keys, reserve, log, outages, counters, history } = shared;
  const fed = datasets.filter((d) => d.contract.sinks.includes(name));
  if (fed.length === 0) return undefined;
  const sink: Sink = createSink(config, name);
  const processor = new SinkProcessor({
    kafka: createKafka(config, name, outages),
    groupId: names.sinkGroup(config, name),
    sink,
    routes: fed.map((dataset) => ({
      dataset: sinkDataset(dataset, name),
      cleanTopic: names.cleanTopic(config, dataset.table),
      deadLetterTopic: names.deadLetterTopic(config, dataset.table),
    })),
    history,
    decoder: (id) => registry.decoder(id),
    sealer: createPayloadSealer(keys, reserve),
    counters,
    log,
    outages,
    limits: batchLimits[name],
  });
  await processor.start();
  return processor;
}
