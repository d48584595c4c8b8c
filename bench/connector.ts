import { ConnectClient } from '../connectors/connect/connect-client.ts';
import { debeziumConfig } from '../connectors/debezium-config.ts';
import { HttpService } from '../pipeline/http-service.ts';
import { adminConnection } from '../connectors/kafka/admin.ts';
import { topicSpecs } from '../connectors/kafka/topic-settings.ts';
import { topicResources } from '../connectors/kafka/topics.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { sourceTableResources } from '../connectors/postgres/source-tables.ts';
import type { Config } from '../schemas/config.ts';
import * as names from '../schemas/names.ts';
import { poll } from './poll.ts';
import type { BenchProject } from './bench-project.ts';

/** A running connector and where it reads and writes. */
export interface BenchConnector {
  readonly config: Config;
  readonly name: string;
  readonly slot: string;
  readonly topic: string;
}

/** The connector that `lethe apply` made. */
export function letheConnector({ config, dataset }: BenchProject): BenchConnector {
  return {
    config,
    name: names.connectorName(config),
    slot: names.slotName(config),
    topic: names.rawTopic(config, dataset.table),
  };
}

/**
 * Debezium as it is without Lethe, on the same table: the derived configuration with its own slot, topics and a
 * publication of whole tables, without the lists of columns and without Lethe's transformation.
 */
export async function startDebeziumAlone(project: BenchProject): Promise<BenchConnector> {
  const { dataset } = project;
  const name = `${project.config.name}_alone`;
  const config: Config = {
    ...project.config,
    name,
    topics: { ...project.config.topics, prefix: `${name}.` },
  };
  const admin = adminConnection(config);
  const resources = [
    ...sourceTableResources(config),
    ...topicResources(topicSpecs(config, [dataset]), admin.withAdmin),
  ];
  for (const resource of resources) await resource.apply(await resource.diff());
  await admin.close();
  const tables = [dataset.table, names.heartbeatTable(config), names.signalTable(config)];
  await withSource(config.postgres, (client) =>
    client.query(`create publication ${names.publicationName(config)} for table ${tables.join(', ')}`),
  );
  const connector = letheConnector({ ...project, config });
  const { 'column.include.list': _columns, ...settings } = debeziumConfig(config, [dataset]);
  const alone = { ...settings, name: connector.name, 'snapshot.mode': 'initial' };
  await new ConnectClient(config.connect).putConfig(connector.name, alone);
  return connector;
}

/** Stops the connector; from then on changes wait in its slot. */
export async function pauseConnector(connector: BenchConnector, signal: AbortSignal): Promise<void> {
  const connect = new ConnectClient(connector.config.connect);
  // Without a position it would begin with a snapshot next time, and not with what waits in its slot.
  const hasPosition = async () => (await connect.phase(connector.name)) === 'streaming';
  await poll(hasPosition, { signal, limitMs: 60_000, what: 'the connector to have a position' });
  await connect.stop(connector.name);
  await poll(() => slotIs(false, connector), { signal, limitMs: 60_000, what: 'the connector to stop' });
}

export async function resumeConnector({ config, name }: BenchConnector): Promise<void> {
  await new HttpService('Kafka Connect', config.connect).expect('PUT', `/connectors/${name}/resume`);
}

async function slotIs(active: boolean, { config, slot }: BenchConnector): Promise<boolean> {
  return withSource(config.postgres, async (client) => {
    const { rows } = await client.query<{ active: boolean }>(
      'select active from pg_replication_slots where slot_name = $1',
      [slot],
    );
    return rows[0]?.active === active;
  });
}
