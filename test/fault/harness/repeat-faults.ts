import { Admin } from '@platformatic/kafka';
import { createKafka } from '../../../pipeline/kafka.ts';
import * as names from '../../../schemas/names.ts';
import { waitUntil } from '../../support/live-pipeline.ts';
import type { Fault } from './fault.ts';
import { end, type FaultWorld, type Role } from './world.ts';

/** Longer than the sessions of the groups: a killed member is in its group until then. */
const leaveLimitMs = 120_000;

/** What was delivered comes again, by offsets that are set back. */
export const repeatFaults: readonly Fault[] = [
  {
    name: 'sinks read everything again',
    async run(world) {
      const { config } = world.live.project!;
      await world.moreTraffic(20);
      for (const role of ['elasticsearch', 'clickhouse'] as const) {
        await rewind(world, role, names.sinkGroup(config, role), (table) => names.cleanTopic(config, table));
      }
      await world.moreTraffic(20);
    },
  },
  {
    name: 'transforms read everything again',
    repeats: true,
    async run(world) {
      const { config } = world.live.project!;
      // An instance that dies before it deletes them leaves raw records behind.
      const killed = world.launch('transform', { LETHE_CRASH: 'before-purge:1' });
      await world.moreTraffic(20);
      await killed.ended;
      await rewind(world, 'transform', names.transformGroup(config), (table) =>
        names.rawTopic(config, table),
      );
      await world.moreTraffic(20);
    },
  },
];

/** All instances leave; the group starts over at the first record that is there; the instances come back. */
async function rewind(
  world: FaultWorld,
  role: Role,
  groupId: string,
  topicOf: (table: string) => string,
): Promise<void> {
  const { config, datasets } = world.live.project!;
  await Promise.all(world.running(role).map((instance) => end(instance, 'SIGTERM')));
  const admin = createKafka(config, 'test').admin();
  await admin.connect();
  try {
    const isEmpty = async (): Promise<boolean> =>
      (await admin.describeGroups([groupId])).groups[0]?.state === 'Empty';
    await waitUntil(isEmpty, leaveLimitMs, 'the group to be empty');
    const topics = await Promise.all(
      datasets.map(async ({ table }) => {
        const name = topicOf(table);
        const first = await admin.fetchTopicOffsets(name);
        return {
          name,
          partitionOffsets: first.map(({ partition, low }) => ({ partition, offset: BigInt(low) })),
        };
      }),
    );
    // kafkajs joins the group for each topic, which takes it seconds; this is one request.
    await setOffsets(config.kafka.brokers, groupId, topics);
  } finally {
    await admin.disconnect();
  }
  await world.restore();
}

async function setOffsets(
  brokers: readonly string[],
  groupId: string,
  topics: Parameters<Admin['alterConsumerGroupOffsets']>[0]['topics'],
): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] });
  try {
    await admin.alterConsumerGroupOffsets({ groupId, topics });
  } finally {
    await admin.close();
  }
}
