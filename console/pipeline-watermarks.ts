import type { Admin } from 'kafkajs';
import type { Pool } from 'pg';
import { ConnectClient } from '../connectors/connect/connect-client.ts';
import { sourceError } from '../connectors/postgres/source-client.ts';
import { BrokerConnections } from '../pipeline/broker-connections.ts';
import { CommittedReader } from '../pipeline/committed-reader.ts';
import { createKafka, kafkaError } from '../pipeline/kafka.ts';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import { postgresPool } from '../pipeline/postgres-pool.ts';
import { Watermarks, type WatermarkLook } from '../pipeline/watermarks.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import * as names from '../schemas/names.ts';
import { parseLsn } from '../schemas/version.ts';

export interface PipelineWatermarks {
  readonly watermarks: Watermarks;
  readonly close: () => Promise<void>;
}

/** The watermarks of a pipeline, from its servers. */
export async function openWatermarks(
  config: Config,
  datasets: readonly Dataset[],
): Promise<PipelineWatermarks> {
  const source = postgresPool({ ...postgresOptions(config.postgres), max: 1 });
  const admin = createKafka(config, 'watermarks').admin();
  await admin.connect().catch((cause: unknown) => {
    throw kafkaError(cause);
  });
  const reader = new CommittedReader(new BrokerConnections(config, 'watermarks'));
  const tables = datasets.map(({ table, contract }) => ({
    table,
    rawTopic: names.rawTopic(config, table),
    cleanTopic: names.cleanTopic(config, table),
    sinks: contract.sinks,
  }));
  return {
    watermarks: new Watermarks(tables, looksOf(config, source, admin, reader)),
    async close() {
      await Promise.all([source.end(), admin.disconnect(), reader.close()]);
    },
  };
}

function looksOf(config: Config, source: Pool, admin: Admin, reader: CommittedReader): WatermarkLook {
  const connect = new ConnectClient(config.connect);
  let streams = false;
  return {
    async captured() {
      // A first snapshot that is not complete has rows still to come, whatever the slot says.
      streams ||= (await connect.phase(names.connectorName(config))) === 'streaming';
      return streams ? await confirmed(config, source) : undefined;
    },
    async ends(topics) {
      return new Map((await reader.ends(topics)).map((p) => [`${p.topic}/${p.partition}`, p.next]));
    },
    async read(by, topics) {
      const groupId = by === 'transform' ? names.transformGroup(config) : names.sinkGroup(config, by);
      const found = await admin.fetchOffsets({ groupId, topics: [...topics] }).catch((cause: unknown) => {
        throw kafkaError(cause);
      });
      return new Map(
        found.flatMap(({ topic, partitions }) =>
          partitions
            .filter(({ offset }) => offset !== '-1')
            .map(({ partition, offset }) => [`${topic}/${partition}`, BigInt(offset)] as const),
        ),
      );
    },
  };
}

/** Debezium confirms to its slot what is committed in Kafka. */
async function confirmed(config: Config, source: Pool): Promise<bigint | undefined> {
  try {
    const { rows } = await source.query<{ lsn: string | null }>(
      'select confirmed_flush_lsn::text as lsn from pg_catalog.pg_replication_slots where slot_name = $1',
      [names.slotName(config)],
    );
    const lsn = rows[0]?.lsn;
    return lsn ? parseLsn(lsn) : undefined;
  } catch (cause) {
    throw sourceError(config.postgres, cause, 'query');
  }
}
