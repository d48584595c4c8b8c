import { waitUntil } from '../../support/live-pipeline.ts';
import type { Fault } from './fault.ts';
import { type FaultWorld, isAlive, type Role } from './world.ts';

/** Where a transform dies; `before-send` has nothing open, `after-commit` has lost only the memory of it. */
const transformPoints = [
  'before-send',
  'after-send',
  'after-offsets',
  'after-commit',
  'before-purge',
  'after-purge',
] as const;

/** Where a sink dies: before or after the store has its changes, before or after Kafka knows. */
const sinkPoints = ['before-write', 'after-write', 'before-offset', 'after-offset'] as const;

const deathLimitMs = 120_000;

/** SIGKILL at each point of the closed list in fault-points.mjs. */
export const crashFaults: readonly Fault[] = [
  ...transformPoints.map((point) => crash(`crash transform ${point}`, ['transform'], point)),
  ...sinkPoints.map((point) => crash(`crash sinks ${point}`, ['elasticsearch', 'clickhouse'], point)),
];

function crash(name: string, roles: readonly Role[], point: string): Fault {
  return {
    name,
    async run(world) {
      world.startTraffic();
      const nth = world.random.int(1, 4);
      await Promise.all(roles.map((role) => dies(world, role, point, nth)));
    },
  };
}

/** One more instance of the role joins, takes its part of the partitions, and dies at the point. */
async function dies(world: FaultWorld, role: Role, point: string, nth: number): Promise<void> {
  const instance = world.launch(role, { LETHE_CRASH: `${point}:${nth}` });
  await waitUntil(() => !isAlive(instance.child), deathLimitMs, `${role} to reach ${point}`);
  const how = await instance.ended;
  if (how !== 'SIGKILL') throw new Error(`${role} was to die at ${point} and ended with ${String(how)}`);
}
