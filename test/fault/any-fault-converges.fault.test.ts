import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acquireStack } from '../support/stack.ts';
import { nothingSeen } from './harness/checks.ts';
import { crashFaults } from './harness/crash-faults.ts';
import { groupFaults } from './harness/group-faults.ts';
import { lateWrite } from './harness/late-write.ts';
import { lineFaults } from './harness/line-faults.ts';
import { repeatFaults } from './harness/repeat-faults.ts';
import { serverFaults } from './harness/server-faults.ts';
import { doFaults, shuffled } from './harness/soak.ts';
import { FaultWorld } from './harness/world.ts';

const seed = Number(process.env['LETHE_SEED'] ?? Date.now() % 1_000_000);
const options = { seed, partitions: 6, customers: 60, transactionsPerSecond: 20, longMs: 10_000 };

/** What must be found after any fault; `compared` and `memory` are looked at apart. */
const nothing = {
  mismatches: 0,
  resurrections: 0,
  leaks: 0,
  doubled: 0,
  deadLetters: 0,
  watermarks: 0,
  refused: 0,
  details: '',
};

/**
 * Invariant: whatever was killed or cut, both stores and the clean topics end equal to the contracts applied
 * to Postgres, row by row and value by value; no deleted row is back, no protected value appears, no change stands twice,
 * and no statement of the application ever failed because of Lethe.
 */
describe('under traffic, with every server behind a line that can be spoilt', () => {
  let world: FaultWorld;
  const seen = nothingSeen();

  beforeAll(async () => {
    console.log(`seed ${seed}`);
    world = await FaultWorld.create(await acquireStack(), options);
  });

  afterAll(async () => {
    await world?.close();
  });

  it.each([
    // First, while there is little to deliver.
    ['all is delivered again', repeatFaults, 'in turn'],
    ['processes die at every point of their work', crashFaults, 'at once'],
    ['servers die', serverFaults, 'in turn'],
    ['lines are cut, slow, or silent', lineFaults, 'in turn'],
    ['members come, go, and sleep', groupFaults, 'in turn'],
  ] as const)('everything is equal after %s', async (_what, faults, order) => {
    const { compared, memory, seconds, good, fault, ...found } = await doFaults(
      world,
      shuffled(faults, seed),
      seen,
      order,
    );
    console.log(
      `${seconds} s, ${compared} rows compared, ${Math.round(memory / 2 ** 20)} MB at most: ${fault}`,
    );
    // Where the fault itself has records delivered again, a change may stand twice in the topic.
    const doubled = faults.some(({ repeats }) => repeats) ? 0 : found.doubled;
    expect({ ...found, doubled }).toEqual(nothing);
    expect(good).toBe(true);
    expect(compared).toBeGreaterThan(1_000);
  });
});

/** The demonstration that the tests above can fail. */
describe('without the guard of versions', () => {
  it('a deleted row is back, and it is noticed', async () => {
    const world = await FaultWorld.create(await acquireStack(), {
      ...options,
      env: { LETHE_VERSIONS: 'arrival' },
    });
    try {
      const found = await doFaults(world, [lateWrite], nothingSeen());
      expect(found.resurrections).toBe(2);
      expect(found.good).toBe(false);
    } finally {
      await world.close();
    }
  });
});
