import { ConnectClient } from '../connectors/connect/connect-client.ts';
import { scrubClass } from '../connectors/debezium-config.ts';
import { HttpService } from '../pipeline/http-service.ts';
import { adminConnection } from '../connectors/kafka/admin.ts';
import { type Obstacle, sourceObstacles } from '../connectors/postgres/preflight.ts';
import { readSourceFacts, type SourceFacts } from '../connectors/postgres/source-facts.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { keyStoreResources } from '../keys/resources.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Finding } from '../schemas/finding.ts';
import { connectorName, slotName } from '../schemas/names.ts';
import { formatLsn, parseLsn } from '../schemas/version.ts';
import type { SourceDocument } from '../schemas/source-document.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { toLetheError as clickhouseError } from '../sinks/clickhouse/errors.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import { toLetheError as elasticsearchError } from '../sinks/elasticsearch/errors.ts';
import { requireAnchored } from './anchored-keys.ts';
import { refuseKeysBesideSource } from './keys-place.ts';
import { findingOf } from './project.ts';

/** Asks every server of lethe.yaml whether it is there, lets us in and is fit; all at once, every obstacle told. */
export async function preflight(config: Config, document: SourceDocument): Promise<Finding[]> {
  const attempts: readonly (readonly [field: readonly string[], probe: () => Promise<Obstacle[]>])[] = [
    [['postgres', 'url'], () => probeSource(config)],
    [['kafka', 'brokers'], () => probeKafka(config)],
    [['connect', 'url'], () => probeConnect(config)],
    [['registry', 'url'], () => probeRegistry(config)],
    [['keys', 'url'], () => probeKeys(config)],
    [['elasticsearch', 'url'], () => probeElasticsearch(config)],
    [['clickhouse', 'url'], () => probeClickhouse(config)],
  ];
  const found = await Promise.all(
    attempts.map(async ([field, probe]): Promise<Finding[]> => {
      try {
        return (await probe()).map((obstacle) => ({
          ...obstacle,
          file: document.file,
          ...document.valueAt(field),
          field: field.join('.'),
        }));
      } catch (error) {
        return [findingOf(error, field, document)];
      }
    }),
  );
  return found.flat();
}

async function probeSource(config: Config): Promise<Obstacle[]> {
  // Whether Connect answers is another probe's question. Asked first: while it answers the source goes on.
  const read = await new ConnectClient(config.connect).position(connectorName(config)).catch(() => undefined);
  const facts = await withSource(config.postgres, (client) => readSourceFacts(client, slotName(config)));
  return [
    ...sourceObstacles(facts, config),
    ...(await slotGone(facts, config)),
    ...sourceRewound(facts, read, config),
  ];
}

/** Restored from an image of its disks, a source has its slot, and Postgres sends nothing until its WAL is past where the connector was. */
function sourceRewound({ wal_end: end }: SourceFacts, read: bigint | undefined, config: Config): Obstacle[] {
  if (end === null || read === undefined || read <= parseLsn(end)) return [];
  return [
    {
      severity: 'error',
      code: 'SLOT_LOST',
      message: `the source's WAL ends at ${end}, before ${formatLsn(read)}, which the connector ${connectorName(config)} has read: it was restored, and its changes up to there would be passed over`,
      fix: 'Run `lethe connector delete`, `lethe apply` for a new snapshot, and `lethe reconcile --repair`.',
    },
  ];
}

/** A connector that has read before and whose slot is gone has missed changes and would not know. */
async function slotGone(facts: SourceFacts, config: Config): Promise<Obstacle[]> {
  if (facts.slot) return [];
  const connect = new ConnectClient(config.connect);
  // Whether Connect answers is another probe's question.
  const phase = await connect.phase(connectorName(config)).catch(() => 'none');
  if (phase === 'none') return [];
  return [
    {
      severity: 'error',
      code: 'SLOT_LOST',
      message: `the slot ${slotName(config)} is gone, though the connector ${connectorName(config)} has read from it: changes were made that nobody will see`,
      fix: 'Run `lethe connector delete`, `lethe apply` for a new snapshot, and `lethe reconcile --repair`.',
    },
  ];
}

async function probeKafka(config: Config): Promise<Obstacle[]> {
  const admin = adminConnection(config);
  try {
    await admin.withAdmin((client) => client.describeCluster());
  } finally {
    await admin.close();
  }
  return [];
}

async function probeConnect(config: Config): Promise<Obstacle[]> {
  const plugins = await new ConnectClient(config.connect).plugins();
  if (plugins.has(scrubClass)) return [];
  return [
    {
      severity: 'error',
      code: 'PLUGIN_MISSING',
      message: `Kafka Connect lacks Lethe's plugin (${scrubClass}): a NULL would arrive as the column's default, and a snapshot that is cut short would leave rows that are gone`,
      fix: 'Build connectors/java into the folder of Debezium’s Postgres connector in the workers’ plugin.path, and restart them.',
    },
  ];
}

async function probeRegistry(config: Config): Promise<Obstacle[]> {
  await new HttpService('the registry', config.registry).expect('GET', '/subjects');
  return [];
}

async function probeKeys(config: Config): Promise<Obstacle[]> {
  const changes = [];
  for (const resource of keyStoreResources(config)) changes.push(...(await resource.diff()));
  // Whether Kafka answers is another probe's question.
  if (changes.length === 0) await requireAnchored(config).catch(unlessUnreachable);
  await refuseKeysBesideSource(config);
  return [];
}

function unlessUnreachable(error: unknown): void {
  if (!(error instanceof LetheError) || error.code !== 'UNREACHABLE') throw error;
}

async function probeElasticsearch(config: Config): Promise<Obstacle[]> {
  if (!config.elasticsearch) return [];
  const client = createElasticsearchClient(config.elasticsearch);
  try {
    await client.info();
  } catch (error) {
    throw elasticsearchError(error, 'say its version');
  } finally {
    await client.close();
  }
  return [];
}

async function probeClickhouse(config: Config): Promise<Obstacle[]> {
  if (!config.clickhouse) return [];
  const client = createClickhouseClient(config.clickhouse);
  try {
    await (await client.query({ query: 'SELECT 1', format: 'JSONEachRow' })).json();
  } catch (error) {
    throw clickhouseError(error, 'select 1');
  } finally {
    await client.close();
  }
  return [];
}
