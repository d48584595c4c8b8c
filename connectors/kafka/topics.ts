import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { kafkaError } from '../../pipeline/kafka.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import { backoffMs } from '../../pipeline/retry.ts';
import type { TopicSpec } from './topic-settings.ts';

// Not among the names that Node finds in this CommonJS module.
const { ConfigResourceTypes, ConfigSource } = kafkajs;

/** Lends a connected admin client. */
export type WithAdmin = <T>(use: (admin: Admin) => Promise<T>) => Promise<T>;

/** The topics with exactly their settings. A topic is never deleted here. */
export function topicResources(specs: readonly TopicSpec[], withAdmin: WithAdmin): Resource[] {
  return [steppedResource('topics', 'kafka', () => withAdmin((admin) => inspect(specs, admin, withAdmin)))];
}

async function inspect(specs: readonly TopicSpec[], admin: Admin, withAdmin: WithAdmin): Promise<Step[]> {
  return settled(async () => {
    const existing = new Set(await admin.listTopics());
    const missing = specs.filter((spec) => !existing.has(spec.topic));
    const present = specs.filter((spec) => existing.has(spec.topic));
    return [
      ...creations(missing, withAdmin),
      ...(present.length === 0 ? [] : await compare(present, admin, withAdmin)),
    ];
  });
}

/** A step a topic for people; the first that runs makes them all in one call. */
function creations(specs: readonly TopicSpec[], withAdmin: WithAdmin): Step[] {
  let made: Promise<void> | undefined;
  const run = (): Promise<void> =>
    (made ??= calling(withAdmin, (admin) =>
      admin.createTopics({
        waitForLeaders: true,
        topics: specs.map(({ topic, partitions, replicationFactor, settings }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        })),
      }),
    ));
  return specs.map(({ topic, partitions, settings }) => ({
    change: {
      action: 'create',
      summary: `${topic}: ${partitions} partitions, ${settings['cleanup.policy']}`,
    },
    run,
  }));
}

async function compare(specs: readonly TopicSpec[], admin: Admin, withAdmin: WithAdmin): Promise<Step[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: specs.map((spec) => spec.topic) });
  const described = await admin.describeConfigs({
    includeSynonyms: false,
    resources: specs.map((spec) => ({ type: ConfigResourceTypes.TOPIC, name: spec.topic })),
  });
  return specs.flatMap((spec) => {
    const found = topics.find((topic) => topic.name === spec.topic)?.partitions ?? [];
    const shape = shapeProblem(spec, found);
    if (shape) return [shape];
    const entries =
      described.resources.find((resource) => resource.resourceName === spec.topic)?.configEntries ?? [];
    const current = new Map(entries.map((entry) => [entry.configName, entry]));
    const different = Object.entries(spec.settings).filter(
      ([name, value]) => current.get(name)?.configValue !== value,
    );
    if (different.length === 0) return [];
    // The call replaces the topic's whole set: settings of others stay by being sent along.
    const kept = entries.filter((entry) => entry.configSource === ConfigSource.TOPIC_CONFIG);
    const all = { ...Object.fromEntries(kept.map((e) => [e.configName, e.configValue])), ...spec.settings };
    return [alter(spec, different, all, withAdmin)];
  });
}

function shapeProblem(spec: TopicSpec, found: readonly { replicas: number[] }[]): Step | undefined {
  if (found.length !== spec.partitions) {
    return refuse(
      `${spec.topic} has ${found.length} partitions, ${spec.partitions} are asked for: a key would move to another partition and lose its order`,
      `Leave topics.partitions at ${found.length}, or rebuild under another topics.prefix.`,
    );
  }
  const replicas = found[0]?.replicas.length ?? 0;
  if (replicas !== spec.replicationFactor) {
    return refuse(
      `${spec.topic} has ${replicas} replicas, ${spec.replicationFactor} are asked for`,
      'Move it with kafka-reassign-partitions, or correct topics.replicationFactor.',
    );
  }
  return undefined;
}

function alter(
  spec: TopicSpec,
  different: readonly (readonly [string, string])[],
  all: Readonly<Record<string, string>>,
  withAdmin: WithAdmin,
): Step {
  const what = different.map(([name, value]) => `${name}=${value}`).join(', ');
  return {
    change: { action: 'update', summary: `${spec.topic}: ${what}` },
    run: () =>
      calling(withAdmin, (admin) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: ConfigResourceTypes.TOPIC,
              name: spec.topic,
              configEntries: Object.entries(all).map(([name, value]) => ({ name, value })),
            },
          ],
        }),
      ),
  };
}

async function calling(withAdmin: WithAdmin, use: (admin: Admin) => Promise<unknown>): Promise<void> {
  await settled(() => withAdmin(use));
}

const mostAttempts = 8;

/** While anybody's topic is being deleted, a look at all of them fails; that passes by itself. */
async function settled<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (cause) {
      const { type } = cause as { type?: unknown };
      if (type !== 'UNKNOWN_TOPIC_OR_PARTITION' || attempt === mostAttempts) throw kafkaError(cause);
      await sleep(backoffMs(attempt, Math.random()));
    }
  }
}
