import { adminConnection } from '../../connectors/kafka/admin.ts';
import { hurriedSettings, type TopicSpec, topicSpecs } from '../../connectors/kafka/topic-settings.ts';
import { topicResources } from '../../connectors/kafka/topics.ts';
import { readAppliedContracts, tablesUnderChange } from '../../connectors/postgres/applied-contracts.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { Project } from '../project.ts';
import type { TopicPace } from './topics-compacted.ts';

/** Settings under which topics are compacted at once, and as `lethe apply` has them. */
export function topicPace({ config, datasets }: Project): TopicPace {
  const set = async (topics: readonly string[], specs: readonly TopicSpec[]): Promise<void> => {
    const kafka = adminConnection(config);
    try {
      const own = specs.filter(({ topic }) => topics.includes(topic));
      for (const resource of topicResources(own, kafka.withAdmin))
        await resource.apply(await resource.diff());
    } finally {
      await kafka.close();
    }
  };
  return {
    hurry: (topics) =>
      set(
        topics,
        topicSpecs(config, datasets).map((spec) => ({
          ...spec,
          settings: { ...spec.settings, ...hurriedSettings },
        })),
      ),
    relax: async (topics) => {
      const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
      await set(topics, topicSpecs(config, datasets, tablesUnderChange(applied, datasets)));
    },
  };
}
