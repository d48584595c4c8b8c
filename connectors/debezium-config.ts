import { postgresOptions } from '../pipeline/postgres-options.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { lookedUpFirst } from '../schemas/lookups.ts';
import { epochHeader } from '../schemas/record-headers.ts';
import {
  heartbeatTable,
  publicationName,
  rawPrefix,
  signalTable,
  signalTopic,
  slotName,
  unavailablePlaceholder,
} from '../schemas/names.ts';
import type { SourceEpoch } from './source-epoch.ts';
import { converterConfig } from './avro-converter-config.ts';
import { signalClientConfig } from './signal-client-config.ts';
import { recordMaxBytes } from './kafka/topic-settings.ts';

/**
 * The connector's configuration, from lethe.yaml and the datasets alone.
 *
 * It fails rather than passes on less: a value that cannot be converted, a lost slot and a moved offset stop the
 * task. Tables and columns are named one by one and with their case, since Debezium's own match ignores it.
 */
export function debeziumConfig(config: Config, datasets: readonly Dataset[]): Record<string, string> {
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    ...sourceConfig(config),
    ...captureConfig(config, datasets),
    ...valueConfig(config),
    ...deliveryConfig,
    ...signalConfig(config),
    ...converterConfig(config),
  };
}

function sourceConfig(config: Config): Record<string, string> {
  const options = postgresOptions(config.postgres);
  return {
    'database.hostname': config.connect.postgresHost ?? String(options.host),
    'database.port': String(config.connect.postgresPort ?? options.port),
    'database.user': String(options.user),
    'database.password': config.connect.postgresPassword ?? String(options.password ?? ''),
    'database.dbname': String(options.database),
    ...tlsConfig(config),
    'topic.prefix': rawPrefix(config),
    'plugin.name': 'pgoutput',
    'slot.name': slotName(config),
    'slot.drop.on.stop': 'false',
    'publication.name': publicationName(config),
    'publication.autocreate.mode': 'disabled',
    // A slot made anew behind the connector's back is a gap: stop there.
    'offset.mismatch.strategy': 'trust_offset',
  };
}

/** The worker's Java trusts the system's authorities; another one travels as PEM in the configuration itself. */
function tlsConfig(config: Config): Record<string, string> {
  const { tls } = config.postgres;
  if (!tls) return {};
  if (typeof tls === 'object' && !tls.verify) return { 'database.sslmode': 'require' };
  if (typeof tls === 'object' && tls.ca !== undefined) {
    return {
      'database.sslmode': 'verify-full',
      'database.sslfactory': 'org.postgresql.ssl.SingleCertValidatingFactory',
      'driver.sslfactoryarg': tls.ca,
    };
  }
  return {
    'database.sslmode': 'verify-full',
    'database.sslfactory': 'org.postgresql.ssl.DefaultJavaSSLFactory',
  };
}

/** The transformation of Lethe's plugin (connectors/java), which a Connect worker needs beside Debezium's jars. */
export const scrubClass = 'io.lethe.connect.ScrubDefaults';

/** The connector's own note of the source that it reads: outside of the source, since a restored one has forgotten what came after. */
export const sourceSetting = 'lethe.source';
export const epochSetting = 'transforms.epoch.value.literal';

/**
 * Stamps each raw record with the epoch of its source, and takes column defaults out of the raw schemas. Without it the converter writes a column's default where the row
 * says NULL, and registers the default's literal.
 */
export function transformsConfig({ epoch, source }: SourceEpoch): Readonly<Record<string, string>> {
  return {
    transforms: 'scrub,epoch',
    'transforms.scrub.type': scrubClass,
    'transforms.epoch.type': 'org.apache.kafka.connect.transforms.InsertHeader',
    'transforms.epoch.header': epochHeader,
    [epochSetting]: String(epoch),
    [sourceSetting]: source,
  };
}

function captureConfig(config: Config, datasets: readonly Dataset[]): Record<string, string> {
  // A snapshot reads the tables in this order.
  const tables = [...lookedUpFirst(datasets).map((dataset) => dataset.table), heartbeatTable(config)];
  const columns = [
    ...datasets.map((dataset) => columnPattern(dataset.table, dataset.published)),
    columnPattern(heartbeatTable(config), ['id', 'beat']),
    columnPattern(signalTable(config), ['id', 'type', 'data']),
  ];
  return {
    // As `initial`, and one that was cut short is taken up without a gap: connectors/java.
    'snapshot.mode': 'custom',
    'snapshot.mode.custom.name': 'lethe_initial',
    'table.include.list': tables.map((table) => exactly(literal(table))).join(','),
    'column.include.list': columns.join(','),
    // A TRUNCATE is a change too.
    'skipped.operations': 'none',
    // Tombstones are made after the contract, with the version of the delete.
    'tombstones.on.delete': 'false',
    // A logical message (pg_logical_emit_message) is of no table, so no contract is asked: none passes, whatever its prefix.
    'message.prefix.exclude.list': '(?s:.*)',
    // Streamed values have no names: a snapshot beside the stream must not number the columns anew (connectors/java).
    'memory.management.tables.class': 'io.lethe.connect.StreamedColumns',
  };
}

function columnPattern(table: string, columns: readonly string[]): string {
  return exactly(`${literal(table)}\\.(${columns.map(literal).join('|')})`);
}

/** Debezium compiles its patterns to ignore case: `public."Orders"` must not come along with `public.orders`. */
function exactly(pattern: string): string {
  return `(?-i:${pattern})`;
}

function literal(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, '\\$&');
}

function valueConfig(config: Config): Record<string, string> {
  return {
    'decimal.handling.mode': 'string',
    'time.precision.mode': 'microseconds',
    'interval.handling.mode': 'string',
    'binary.handling.mode': 'bytes',
    'hstore.handling.mode': 'json',
    'schema.name.adjustment.mode': 'avro',
    'field.name.adjustment.mode': 'avro',
    // The default writes null for a value that cannot be converted, and goes on.
    'event.converting.failure.handling.mode': 'fail',
    'unavailable.value.placeholder': unavailablePlaceholder(config),
  };
}

/** Half a second of latency is Debezium's default poll interval; kafkajs reads no other compression than gzip. */
const deliveryConfig: Readonly<Record<string, string>> = {
  'poll.interval.ms': '10',
  'max.batch.size': '8192',
  'max.queue.size': '32768',
  'producer.override.linger.ms': '5',
  'producer.override.batch.size': '262144',
  'producer.override.compression.type': 'none',
  'producer.override.max.request.size': String(recordMaxBytes),
  'exactly.once.support': 'required',
  'transaction.boundary': 'poll',
  'errors.tolerance': 'none',
  'extended.headers.enabled': 'false',
};

/** The heartbeat moves the slot on while the captured tables are quiet and others write WAL. */
function signalConfig(config: Config): Record<string, string> {
  return {
    'heartbeat.interval.ms': '1000',
    'heartbeat.action.query': `INSERT INTO ${heartbeatTable(config)} (id, beat) VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET beat = excluded.beat`,
    'signal.enabled.channels': 'source,kafka',
    'signal.data.collection': signalTable(config),
    // Each poll takes the consumer one step on in joining its group: at the default of 5 s that is half a minute.
    'signal.poll.interval.ms': '1000',
    'signal.kafka.topic': signalTopic(config),
    // A signal of the transform counts when the change that calls for it is committed.
    'signal.consumer.isolation.level': 'read_committed',
    'signal.kafka.groupId': `lethe-${config.name}-signal`,
    'signal.kafka.bootstrap.servers': config.kafka.brokers.join(','),
    ...signalClientConfig(config.kafka),
  };
}
