import { Command, InvalidArgumentError } from 'commander';
import shareStack from '../../support/shared-stack.ts';
import { acquireStack } from '../../support/stack.ts';
import { renderTable } from '../../../cli/table.ts';
import { faultsNamed } from './all-faults.ts';
import { nothingSeen } from './checks.ts';
import { doFaults, type Round, shuffled, summary } from './soak.ts';
import { FaultWorld } from './world.ts';

interface Flags {
  readonly seed: number;
  readonly rounds: number;
  readonly only?: string;
  readonly rate: number;
  readonly long: number;
  readonly json?: true;
}

/** `npm run test:fault`: every fault, in an order given by the seed, as often as asked for; exit 1 if anything is not as it must be. */
async function soak(flags: Flags): Promise<void> {
  const faults = faultsNamed(flags.only);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  say(`seed ${flags.seed}: ${faults.length} faults, ${flags.rounds} rounds`);
  const endStack = await shareStack();
  const rounds: Round[] = [];
  let events = 0;
  let world: FaultWorld | undefined;
  try {
    world = await FaultWorld.create(await acquireStack(), {
      seed: flags.seed,
      partitions: 6,
      customers: 60,
      transactionsPerSecond: flags.rate,
      longMs: flags.long * 1_000,
    });
    const seen = nothingSeen();
    for (let round = 0; round < flags.rounds; round++) {
      for (const fault of shuffled(faults, flags.seed + round)) {
        say(`${fault.name} …`);
        const done = await doFaults(world, [fault], seen);
        rounds.push(done);
        say(
          `${done.good ? 'ok    ' : 'FAILED'} ${fault.name}, ${done.seconds} s, ${done.compared} rows compared`,
        );
        if (!done.good) say(JSON.stringify(done, undefined, 1));
      }
    }
    events = world.transactions;
  } finally {
    // What could not be cleaned up must not hide why.
    await world?.close().catch((error: unknown) => say(`not cleaned up: ${String(error)}`));
    await endStack?.();
  }
  const found = summary(flags.seed, events, rounds);
  process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : table(rounds));
  if (rounds.some(({ good }) => !good)) process.exitCode = 1;
}

function table(rounds: readonly Round[]): string {
  const heads = [
    'fault',
    's',
    'rows',
    'mismatches',
    'resurrections',
    'leaks',
    'doubled',
    'refused',
    'MB',
    '',
  ];
  return renderTable(
    heads,
    rounds.map((r) => [
      r.fault,
      ...[r.seconds, r.compared, r.mismatches, r.resurrections, r.leaks, r.doubled, r.refused].map(String),
      String(Math.round(r.memory / 2 ** 20)),
      r.good ? { text: 'ok', style: 'green' } : { text: 'FAILED', style: 'red' },
    ]),
  );
}

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

await new Command('test:fault')
  .description('kills, cuts and rewinds every part under traffic, and compares every row afterwards')
  .option('--seed <number>', 'order of the faults and all chance in them', count, Date.now() % 1_000_000)
  .option('--rounds <count>', 'how often each fault is done', count, 1)
  .option('--only <text>', 'only faults with this in their names')
  .option('--rate <count>', 'transactions a second', count, 20)
  .option('--long <seconds>', 'how long a store is silent in "stores stop answering"', count, 30)
  .option('--json', 'print the result as one JSON object')
  .action(soak)
  .parseAsync();
