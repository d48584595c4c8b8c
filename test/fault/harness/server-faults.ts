import type { PartName } from '../../../stack/part-name.ts';
import type { Fault } from './fault.ts';

const servers: readonly PartName[] = [
  'postgres',
  'kafka',
  'connect',
  'registry',
  'elasticsearch',
  'clickhouse',
];

/** SIGKILL to each server under traffic; the application goes on while it is away, but for its own Postgres. */
export const serverFaults: readonly Fault[] = [
  ...servers.map(
    (part): Fault => ({
      name: `kill ${part}`,
      async run(world) {
        await world.moreTraffic(world.random.int(5, 20));
        await world.stack.kill(part);
        if (part !== 'postgres') await world.moreTraffic(world.random.int(20, 40));
        await world.stack.start(part);
        await world.moreTraffic(10);
      },
    }),
  ),
  {
    name: 'kill key store',
    async run(world) {
      await world.moreTraffic(world.random.int(5, 20));
      await world.keyStore.kill();
      await world.moreTraffic(world.random.int(20, 40));
      await world.keyStore.start({});
      await world.moreTraffic(10);
    },
  },
  {
    name: 'kafka away',
    async run(world) {
      await world.moreTraffic(10);
      await world.stack.stop('kafka');
      // The slot holds what the application writes for as long as it takes.
      await world.moreTraffic(400);
      await world.stack.start('kafka');
      await world.moreTraffic(10);
    },
  },
];
