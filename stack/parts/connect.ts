import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { componentPath } from '../cache/component.ts';
import { stackVersions } from '../versions.ts';
import { classArchiveOptions } from './class-archive.ts';
import { clearTmp, javaOptions, properties, writeLog4j } from './java-server.ts';
import { kafkaClassPath, LARGEST_RECORD_BYTES } from './kafka.ts';
import { type Part, type PartContext, READY_REQUEST_MS } from './part.ts';

const NEEDED_PLUGINS = [
  'io.debezium.connector.postgresql.PostgresConnector',
  'io.apicurio.registry.utils.converter.AvroConverter',
  'io.lethe.connect.ScrubDefaults',
];

/** One distributed worker of Kafka Connect with Debezium and the Avro converter. */
export const connectPart: Part = {
  name: 'connect',
  version: `${stackVersions().kafka.version}, Debezium ${stackVersions().debezium.version}`,
  needs: ['kafka'],
  ports: ['connect'],
  stopSignal: 'SIGTERM',
  stopLimitMs: 40_000,
  readyLimitMs: 240_000,
  prepare: (context) => {
    clearTmp(context.folder);
    writeFileSync(configFile(context), properties(settings(context)));
    return Promise.resolve();
  },
  command: (context) => ({
    command: context.java,
    args: [
      ...javaOptions(context.folder, ['128m', '768m']),
      ...classArchiveOptions(context, context.components.kafka),
      '-XX:+UseG1GC',
      writeLog4j(context.folder, {
        'org.apache.kafka.clients': 'WARN',
        'org.apache.kafka.common': 'WARN',
        'org.eclipse.jetty': 'WARN',
        'org.glassfish.jersey': 'WARN',
        'org.reflections': 'ERROR',
        // Whole configurations, once more at every change.
        'org.apache.kafka.connect.runtime.ConnectorConfig': 'WARN',
        'org.apache.kafka.connect.runtime.SourceConnectorConfig': 'WARN',
        'org.apache.kafka.connect.runtime.TaskConfig': 'WARN',
        'io.confluent.connect': 'WARN',
        // Debezium writes row values at DEBUG and below.
        'io.debezium': 'INFO',
      }),
      `--class-path=${kafkaClassPath(context)}`,
      'org.apache.kafka.connect.cli.ConnectDistributed',
      configFile(context),
    ],
    cwd: context.folder.root,
  }),
  isReady: async (context) => {
    const url = `http://127.0.0.1:${context.ports.connect}`;
    const signal = AbortSignal.timeout(READY_REQUEST_MS);
    const connectors = await fetch(`${url}/connectors`, { signal });
    if (!connectors.ok) return false;
    const plugins = await fetch(`${url}/connector-plugins?connectorsOnly=false`, { signal });
    if (!plugins.ok) return false;
    const classes = ((await plugins.json()) as { class: string }[]).map((plugin) => plugin.class);
    return NEEDED_PLUGINS.every((needed) => classes.includes(needed));
  },
};

function configFile(context: PartContext): string {
  return join(context.folder.conf, 'connect.properties');
}

function settings(context: PartContext): Record<string, string | number | boolean> {
  const { kafka, connect } = context.ports;
  return {
    'bootstrap.servers': `127.0.0.1:${kafka}`,
    'group.id': '_connect_group',
    'config.storage.topic': '_connect_configs',
    'config.storage.replication.factor': 1,
    'offset.storage.topic': '_connect_offsets',
    'offset.storage.replication.factor': 1,
    'offset.storage.partitions': 1,
    'status.storage.topic': '_connect_status',
    'status.storage.replication.factor': 1,
    'status.storage.partitions': 1,
    'offset.flush.interval.ms': 1_000,
    'offset.flush.timeout.ms': 5_000,
    'exactly.once.source.support': 'enabled',
    'connector.client.config.override.policy': 'All',
    'scheduled.rebalance.max.delay.ms': 0,
    'heartbeat.interval.ms': 3_000,
    'session.timeout.ms': 10_000,
    'producer.max.request.size': LARGEST_RECORD_BYTES,
    'topic.creation.enable': true,
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': false,
    'value.converter.schemas.enable': false,
    'plugin.path': componentPath(context.components.connectPlugins),
    'plugin.discovery': 'service_load',
    listeners: `http://127.0.0.1:${connect}`,
    'rest.advertised.host.name': '127.0.0.1',
    'rest.advertised.port': connect,
  };
}
