import { ConnectClient } from '../connectors/connect/connect-client.ts';
import { connectorResources, type EpochFacts } from '../connectors/connect/connector-resource.ts';
import { HttpService } from '../pipeline/http-service.ts';
import { adminConnection } from '../connectors/kafka/admin.ts';
import { topicSpecs } from '../connectors/kafka/topic-settings.ts';
import { topicResources } from '../connectors/kafka/topics.ts';
import {
  contractResources,
  readAppliedContracts,
  tablesUnderChange,
} from '../connectors/postgres/applied-contracts.ts';
import { astrayResources } from '../connectors/postgres/astray.ts';
import { everyInstanceKnows, withColumnsInUse } from '../connectors/postgres/columns-in-use.ts';
import { publicationResources } from '../connectors/postgres/publication.ts';
import { replicaIdentityResources } from '../connectors/postgres/replica-identity.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { readSourceIdentity } from '../connectors/postgres/source-identity.ts';
import { readNewestEpoch } from '../connectors/source-epoch.ts';
import { sourceTableResources } from '../connectors/postgres/source-tables.ts';
import { cleanSubjectResources } from '../connectors/registry/clean-subjects.ts';
import { erasureResources } from '../erasure/schema.ts';
import { keyStoreResources } from '../keys/resources.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { clickhouseResources } from '../sinks/clickhouse/resources.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import { elasticsearchResources } from '../sinks/elasticsearch/resources.ts';
import { anchorResources } from './anchored-keys.ts';
import { mergeResources } from './merge-resources.ts';
import { decideGenerations } from './store-generations.ts';

/** The resources of a project and the connections they share. */
export interface ProjectResources {
  readonly resources: readonly Resource[];
  readonly close: () => Promise<void>;
}

/** What a plan may hold. */
export interface PlanOptions {
  /** Stores that cannot take a changed contract are built anew beside those that there are. */
  readonly rebuild: boolean;
}

/**
 * Everything that is derived, in the order in which it is applied: what others need comes first, and the connector late, since
 * from then on changes flow. Then it is recorded that all of it is under these contracts, and what those of before needed may go.
 */
export async function projectResources(
  config: Config,
  datasets: readonly Dataset[],
  { rebuild }: PlanOptions,
): Promise<ProjectResources> {
  const { applied, before, source } = await withSource(config.postgres, async (client) => {
    const found = await readAppliedContracts(client, config);
    return {
      applied: found,
      before: await withColumnsInUse(client, config, datasets, found),
      source: await readSourceIdentity(client),
    };
  });
  const underChange = tablesUnderChange(applied, datasets);
  const kafka = adminConnection(config);
  const elasticsearch = config.elasticsearch && createElasticsearchClient(config.elasticsearch);
  const clickhouse = config.clickhouse && createClickhouseClient(config.clickhouse);
  const connect = new ConnectClient(config.connect);
  const epoch: EpochFacts = {
    source,
    newestEpoch: () => kafka.withAdmin((admin) => readNewestEpoch(admin, config, datasets)),
  };
  const narrows = before.some((dataset, i) => dataset !== datasets[i]);
  const stores = { elasticsearch, clickhouse };
  const close = async (): Promise<void> => {
    await kafka.close();
    await elasticsearch?.close();
    await clickhouse?.close();
  };
  const generationOf = await decideGenerations(config, datasets, applied, stores, rebuild).catch(
    async (error: unknown) => {
      await close();
      throw error;
    },
  );
  return {
    resources: [
      ...keyStoreResources(config),
      ...erasureResources(config),
      ...sourceTableResources(config),
      ...astrayResources(
        config,
        datasets.map(({ table }) => table),
      ),
      ...replicaIdentityResources(config, datasets),
      ...publicationResources(config, before),
      ...topicResources(topicSpecs(config, datasets, underChange), kafka.withAdmin),
      ...anchorResources(config),
      ...cleanSubjectResources(config, datasets, new HttpService('the registry', config.registry), {
        rebuild,
      }),
      ...(elasticsearch ? elasticsearchResources(config, datasets, elasticsearch, generationOf) : []),
      ...(clickhouse ? clickhouseResources(config, datasets, clickhouse, generationOf) : []),
      ...connectorResources(config, before, connect, epoch),
      ...contractResources(config, datasets, generationOf),
      ...(narrows ? narrowing(config, datasets, connect, epoch) : []),
      ...mergeResources(config, datasets, stores),
    ],
    close,
  };
}

/** Columns that no contract needs any more cease to leave Postgres, once nobody works with them. */
function narrowing(
  config: Config,
  datasets: readonly Dataset[],
  connect: ConnectClient,
  epoch: EpochFacts,
): Resource[] {
  return [
    ...connectorResources(config, datasets, connect, epoch),
    ...publicationResources(config, datasets),
  ].map((resource) => ({
    ...resource,
    apply: async (changes) => {
      await everyInstanceKnows(config);
      await resource.apply(changes);
    },
  }));
}
