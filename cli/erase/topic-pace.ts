import { adminConnection } from '../../connectors/kafka/admin.ts';
import { topicSpecs } from '../../connectors/kafka/topic-settings.ts';
import { topicResources } from '../../connectors/kafka/topics.ts';
import { readAppliedContracts, tablesUnderChange } from '../../connectors/postgres/applied-contracts.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { Project } from '../project.ts';
import type { TopicPace } from './topics-compacted.ts';

/** Settings as while a contract is being changed, and as `lethe apply` has them. */
export function topicPace({ config, datasets }: Project): TopicPace {
  const set = async (topics: readonly string[], hurried: ReadonlySet<string>): Promise<void> => {
    const kafka = adminConnection(config);
    try {
      const specs = topicSpecs(config, datasets, hurried).filter(({ topic }) => topics.includes(topic));
      for (const resource of topicResources(specs, kafka.withAdmin))
        await resource.apply(await resource.diff());
    } finally {
      await kafka.close();
    }
  };
  return {
    hurry: (topics) => set(topics, new Set(datasets.map(({ table }) => table))),
    relax: async (topics) => {
      const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
      await set(topics, tablesUnderChange(applied, datasets));
    },
  };
}
