import { Random } from '../../../examples/beancart/random.ts';
import type { Findings, Seen } from './checks.ts';
import { inspect } from './checks.ts';
import type { Fault } from './fault.ts';
import type { FaultWorld } from './world.ts';

/** A fault that was done, and what was found after it. */
export interface Round extends Findings {
  readonly fault: string;
  readonly seconds: number;
  readonly good: boolean;
}

/** What `npm run test:fault -- --json` prints. */
export interface Summary {
  readonly seed: number;
  readonly faults: number;
  /** Transactions of the application. */
  readonly events: number;
  readonly mismatches: number;
  readonly resurrections: number;
  readonly leaks: number;
  readonly doubled: number;
  readonly rounds: readonly Round[];
}

/** Twice what a process of the pipeline takes at rest; one that keeps what it cannot write is above it soon. */
const mostMemory = 512 * 1024 * 1024;

/**
 * Does faults under traffic, one after the other or all at once, brings back what died, and inspects what came of it.
 */
export async function doFaults(
  world: FaultWorld,
  faults: readonly Fault[],
  seen: Seen,
  order: 'in turn' | 'at once' = 'in turn',
): Promise<Round> {
  const started = performance.now();
  if (order === 'at once') await Promise.all(faults.map((fault) => fault.run(world)));
  else for (const fault of faults) await fault.run(world);
  world.lines.heal();
  await world.restore();
  const found = await inspect(world, seen);
  const repeats = faults.some((fault) => fault.repeats);
  return {
    fault: faults.map(({ name }) => name).join(', '),
    seconds: Math.round((performance.now() - started) / 100) / 10,
    good: isGood(found, repeats),
    ...found,
  };
}

function isGood(found: Findings, repeats: boolean): boolean {
  return (
    found.mismatches === 0 &&
    found.resurrections === 0 &&
    found.leaks === 0 &&
    (repeats || found.doubled === 0) &&
    found.deadLetters === 0 &&
    found.watermarks === 0 &&
    found.refused === 0 &&
    found.memory < mostMemory
  );
}

/** The faults in the order of the seed. */
export function shuffled(faults: readonly Fault[], seed: number): Fault[] {
  const random = new Random(seed);
  const rest = [...faults];
  const order: Fault[] = [];
  while (rest.length > 0) order.push(...rest.splice(random.int(0, rest.length - 1), 1));
  return order;
}

export function summary(seed: number, events: number, rounds: readonly Round[]): Summary {
  const sum = (of: (round: Round) => number): number => rounds.reduce((n, round) => n + of(round), 0);
  return {
    seed,
    faults: rounds.length,
    events,
    mismatches: sum((r) => r.mismatches),
    resurrections: sum((r) => r.resurrections),
    leaks: sum((r) => r.leaks),
    doubled: sum((r) => r.doubled),
    rounds,
  };
}
