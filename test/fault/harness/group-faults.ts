import { waitUntil } from '../../support/live-pipeline.ts';
import type { Fault } from './fault.ts';
import { lateWrite } from './late-write.ts';
import { end, frozen, joinsOf } from './world.ts';

/** Longer than the sessions of the groups, so that a frozen member's partitions have moved. */
const movedLimitMs = 120_000;

/** Members that come, go, die, or sleep while their partitions move to others. */
export const groupFaults: readonly Fault[] = [
  {
    name: 'rebalance with three instances',
    async run(world) {
      for (const role of ['transform', 'elasticsearch', 'clickhouse'] as const) {
        await world.moreTraffic(10);
        const joined = await world.add(role);
        await world.moreTraffic(10);
        const [first] = world.running(role);
        await end(first!, world.random.chance(0.5) ? 'SIGTERM' : 'SIGKILL');
        await world.moreTraffic(10);
        await end(joined, 'SIGTERM');
        await world.restore();
      }
    },
  },
  zombieTransform('after-send'),
  zombieTransform('after-offsets'),
  lateWrite,
];

/** Goes on in the middle of its transaction when others have its partitions and have worked on them. */
function zombieTransform(point: 'after-send' | 'after-offsets'): Fault {
  return {
    name: `zombie transform ${point}`,
    async run(world) {
      world.startTraffic();
      const zombie = world.launch('transform', { LETHE_FREEZE: `${point}:2` });
      await frozen(zombie, movedLimitMs);
      const others = world.running('transform').filter((instance) => instance !== zombie);
      const joins = (): number[] => others.map(joinsOf);
      const before = joins();
      await waitUntil(
        () => joins().every((n, i) => n > before[i]!),
        movedLimitMs,
        'the partitions of the zombie to move',
      );
      await world.moreTraffic(20);
      zombie.child.kill('SIGCONT');
      await world.moreTraffic(20);
      await end(zombie, 'SIGTERM');
    },
  };
}
