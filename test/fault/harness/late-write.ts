import { type Instance, waitUntil } from '../../support/live-pipeline.ts';
import { waitForSinks } from '../../../cli/wait-for-sinks.ts';
import type { Fault } from './fault.ts';
import { end, type FaultWorld, frozen, joinsOf } from './world.ts';

const limitMs = 120_000;
const stores = ['elasticsearch', 'clickhouse'] as const;

/**
 * A row is on its way into both stores when both sinks freeze; it is deleted; other instances write the delete; then the frozen ones go
 * on and write the row. Only its version keeps it out: whoever goes by arrival brings the row back.
 */
export const lateWrite: Fault = {
  name: 'late write of a deleted row',
  async run(world) {
    const sku = `late-${world.random.int(1, 1_000_000_000)}`;
    const zombies = await replaceSinks(world, { LETHE_FREEZE: `before-write:key=${sku}` });
    await world.sql(`insert into products (sku, name, price) values ('${sku}', 'late', 1)`);
    await Promise.all(zombies.map((zombie) => frozen(zombie, limitMs)));
    await world.sql(`delete from products where sku = '${sku}'`);
    await Promise.all(stores.map((role) => world.add(role)));
    const { config, datasets } = world.live.project!;
    await world.stopTraffic();
    await waitForSinks(config, datasets, { signal: AbortSignal.timeout(limitMs) });
    const joins = zombies.map(joinsOf);
    for (const { child } of zombies) child.kill('SIGCONT');
    // It finds out that it was thrown out when it has written and wants to commit.
    const back = (): boolean => zombies.every((zombie, i) => joinsOf(zombie) > joins[i]!);
    await waitUntil(back, limitMs, 'the frozen sinks to join again');
    await Promise.all(zombies.map((zombie) => end(zombie, 'SIGTERM')));
  },
};

/** New instances in the place of those that run: they have all partitions. */
async function replaceSinks(world: FaultWorld, env: Record<string, string>): Promise<Instance[]> {
  const old = stores.flatMap((role) => world.running(role));
  const added = stores.map((role) => world.launch(role, env));
  await Promise.all(added.map((instance) => world.live.ready(instance)));
  await Promise.all(old.map((instance) => end(instance, 'SIGTERM')));
  return added;
}
