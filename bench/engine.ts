import { fork } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { packageRoot } from '../stack/package-root.ts';
import type { EngineOptions } from './engine-case.ts';
import { contracts } from './engine-events.ts';
import { type CaseName, type EngineCase, type EngineReport, engineReportText } from './engine-report.ts';

export const widths = [5, 25, 100] as const;

/** What a case's process is asked. */
export interface AskedCase {
  readonly name: CaseName;
  readonly options: EngineOptions;
}

/** `bench engine`: the engine alone beside avsc, and beside the bare calls of node:crypto. */
export function engineCommand(): Command {
  return new Command('engine')
    .description('events a second of the engine beside avsc and bare cipher calls; needs no servers')
    .option('--rounds <count>', 'rounds; the medians are reported', count, 5)
    .option('--events <count>', 'events that a round goes through', count, 2_000)
    .option('--subjects <count>', 'persons of the cases with cold and warm keys', count, 100_000)
    .option('--json', 'print the result as one JSON object')
    .action(async (flags: Omit<EngineOptions, 'sampleMs'> & { readonly json?: true }) => {
      const found = await measureEngine({ ...flags, sampleMs: 300 });
      process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : engineReportText(found));
    });
}

/**
 * All cases, one after the other, each in a process of its own, as JMH measures: what a compiler has learnt of one table's code must not
 * colour the next.
 */
export async function measureEngine(options: EngineOptions): Promise<EngineReport> {
  const before = loadavg()[0]!;
  const names: CaseName[] = [
    ...widths.flatMap((columns) => contracts.map((contract): CaseName => ({ columns, contract }))),
    ...widths.flatMap((columns) =>
      (['cold', 'warm'] as const).map(
        (keys): CaseName => ({ columns, contract: 'encrypt', subjects: options.subjects, keys }),
      ),
    ),
  ];
  const cases: EngineCase[] = [];
  for (const name of names) cases.push(await inItsProcess({ name, options }));
  const load = { before, after: loadavg()[0]!, cpus: cpus().length };
  return { rounds: options.rounds, events: options.events, cases, load };
}

function inItsProcess(asked: AskedCase): Promise<EngineCase> {
  const child = fork(join(packageRoot(), 'dist', 'bench', 'engine-case-process.js'), {
    execArgv: process.execArgv.filter((arg) => arg.startsWith('--cpu-prof')),
  });
  return new Promise((resolve, reject) => {
    child.once('message', (found) => resolve(found as EngineCase));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process of a case ended with ${code}`)));
    child.send(asked);
  });
}

function count(text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}
