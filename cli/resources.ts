import { ConnectClient } from '../connectors/connect/connect-client.ts';
import { connectorResources } from '../connectors/connect/connector-resource.ts';
import { HttpService } from '../connectors/http-service.ts';
import { adminConnection } from '../connectors/kafka/admin.ts';
import { topicSpecs } from '../connectors/kafka/topic-settings.ts';
import { topicResources } from '../connectors/kafka/topics.ts';
import {
  contractResources,
  readAppliedContracts,
  tablesUnderChange,
} from '../connectors/postgres/applied-contracts.ts';
import { publicationResources } from '../connectors/postgres/publication.ts';
import { replicaIdentityResources } from '../connectors/postgres/replica-identity.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { sourceTableResources } from '../connectors/postgres/source-tables.ts';
import { cleanSubjectResources } from '../connectors/registry/clean-subjects.ts';
import { keyStoreResources } from '../keys/resources.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { clickhouseResources } from '../sinks/clickhouse/resources.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import { elasticsearchResources } from '../sinks/elasticsearch/resources.ts';
import { mergeResources } from './merge-resources.ts';

/** The resources of a project and the connections they share. */
export interface ProjectResources {
  readonly resources: readonly Resource[];
  readonly close: () => Promise<void>;
}

/**
 * Everything that is derived, in the order in which it is applied: what others need comes first, and the connector late, since
 * from then on changes flow. That all of it is under these contracts now is recorded at the very end.
 */
export async function projectResources(
  config: Config,
  datasets: readonly Dataset[],
): Promise<ProjectResources> {
  const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
  const underChange = tablesUnderChange(applied, datasets);
  const kafka = adminConnection(config);
  const elasticsearch = config.elasticsearch && createElasticsearchClient(config.elasticsearch);
  const clickhouse = config.clickhouse && createClickhouseClient(config.clickhouse);
  return {
    resources: [
      ...keyStoreResources(config),
      ...sourceTableResources(config),
      ...replicaIdentityResources(config, datasets),
      ...publicationResources(config, datasets),
      ...topicResources(topicSpecs(config, datasets, underChange), kafka.withAdmin),
      ...cleanSubjectResources(config, datasets, new HttpService('the registry', config.registry)),
      ...(elasticsearch ? elasticsearchResources(config, datasets, elasticsearch) : []),
      ...(clickhouse ? clickhouseResources(config, datasets, clickhouse) : []),
      ...connectorResources(config, datasets, new ConnectClient(config.connect)),
      ...contractResources(config, datasets),
      ...mergeResources(config, datasets, { elasticsearch, clickhouse }),
    ],
    close: async () => {
      await kafka.close();
      await elasticsearch?.close();
      await clickhouse?.close();
    },
  };
}
