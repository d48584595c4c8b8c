import { mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { TerminalReporter } from '../cli/terminal-reporter.ts';
import { deleteCapture } from '../connectors/connect/delete-connector.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { cleanTopic } from '../schemas/names.ts';
import { type BenchProject, makeProject } from './bench-project.ts';
import { type BenchStackOptions, leaseStack } from './bench-stack.ts';
import { Child } from './child.ts';
import { count, counts } from './counts.ts';
import { erasePersons, type ErasureTimes } from './erase-persons.ts';
import { loadAside, loadThrough } from './erasure-load.ts';
import {
  type BatchCost,
  batchCost,
  caseOf,
  type ErasureCase,
  type ErasureReport,
  reportText,
} from './erasure-report.ts';
import { erasureTables, personalTables } from './erasure-tables.ts';
import { measureSuppression } from './suppression.ts';

interface Flags extends BenchStackOptions {
  readonly subjects: readonly number[];
  readonly through: number;
  readonly rounds: number;
  readonly batch: number;
  readonly batchAmong?: number;
  readonly suppressed: number;
  readonly json?: true;
}

/** `bench erasure`: one person's erasure among ever more persons, a batch of them, and what suppression costs each event. */
export function erasureCommand(): Command {
  return new Command('erasure')
    .description(
      'seconds to forget a person among so many; requests a second; what suppression costs an event',
    )
    .option(
      '--subjects <counts>',
      'persons that are there, one case after the other',
      counts,
      [1_000, 100_000],
    )
    .option('--through <count>', 'persons that go through the whole pipeline at most', count, 100_000)
    .option('--rounds <count>', 'erasures of a case; the medians are reported', count, 3)
    .option('--batch <count>', 'requests that are carried out together', count, 1_000)
    .option(
      '--batch-among <count>',
      'in which case they are, by its persons; in the last if left out: a scan reads all that is there',
      count,
    )
    .option('--suppressed <count>', 'suppressed persons when an event is looked up', count, 1_000_000)
    .option('--dir <dir>', 'new or empty folder to work in, deleted at the end; else a temporary one')
    .option('--endpoints <file>', 'measure on running servers: what `lethe stack up --json` printed')
    .option('--json', 'print the result as one JSON object')
    .action(async (flags: Flags) => {
      const found = await measure(flags);
      process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : reportText(found));
    });
}

async function measure(flags: Flags): Promise<ErasureReport> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const { signal } = interrupted;
  const reporter = new TerminalReporter();
  const say = (text: string) => reporter.say(text);
  const before = loadavg()[0]!;
  const stack = await leaseStack(flags, reporter, signal);
  let failed = true;
  const cleanUps: (() => Promise<void>)[] = [() => stack.release(failed ? 'keep logs' : undefined)];
  try {
    const logs = join(stack.dir, 'logs');
    mkdirSync(logs, { recursive: true });
    const bench = await makeProject(stack.endpoints, stack.dir, erasureTables);
    cleanUps.push(() => deleteCapture(bench.config));
    const run = new Child('cli/main.js', ['run', '--config', bench.configPath], join(logs, 'run.log'));
    cleanUps.push(() => run.stop());
    await run.joined;
    const parts = { bench, signal, say };
    const cases: ErasureCase[] = [];
    const erased = new Set<number>();
    let [through, all] = [0, 0];
    const { batchAmong = flags.subjects.at(-1) } = flags;
    let batch: BatchCost | undefined;
    for (const subjects of flags.subjects) {
      const upTo = Math.min(subjects, flags.through);
      if (upTo > through) await loadThrough(parts, through + 1, upTo);
      through = Math.max(through, upTo);
      const aside = Math.max(through, all) + 1;
      if (subjects >= aside) await loadAside(parts, aside, subjects);
      all = Math.max(all, subjects);
      // The first of all is not counted: servers and this process compile their code.
      if (erased.size === 0) await erasePersons(bench, choose(erased, through, 1));
      const rounds: ErasureTimes[] = [];
      while (rounds.length < flags.rounds) {
        say(`erasing one of ${subjects} persons, round ${rounds.length + 1} of ${flags.rounds}`);
        rounds.push(await erasePersons(bench, choose(erased, through, 1)));
      }
      cases.push(caseOf({ subjects, through, topics: await topicsOf(bench) }, rounds));
      say(JSON.stringify(cases.at(-1)));
      if (subjects !== batchAmong) continue;
      say(`erasing ${flags.batch} persons together`);
      batch = batchCost(await erasePersons(bench, choose(erased, through, flags.batch)), all);
      say(JSON.stringify(batch));
    }
    if (!batch) throw new Error(`no case has ${batchAmong} persons`);
    const suppressionNs = await measureSuppression(bench.config, flags.suppressed, say);
    failed = false;
    return { cases, ...batch, suppressionNs, load: { before, after: loadavg()[0]!, cpus: cpus().length } };
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

/** So many persons from all over those who are in every place, and of whom nobody was erased yet. */
function choose(erased: Set<number>, through: number, many: number): number[] {
  const chosen: number[] = [];
  const apart = Math.max(1, Math.floor(through / (many + 1)));
  for (let at = apart; chosen.length < many && at < 2 * through; at += apart) {
    let person = 1 + (at % through);
    while (erased.has(person) && person < through) person++;
    if (erased.has(person)) continue;
    erased.add(person);
    chosen.push(person);
  }
  if (chosen.length < many) throw new Error(`there are no ${many} persons left to be erased`);
  return chosen;
}

/** Offsets that each clean topic has: its records, and one for the end of each transaction. */
async function topicsOf({ config }: BenchProject): Promise<Record<string, number>> {
  const admin = createKafka(config, 'bench').admin();
  await admin.connect();
  try {
    const sizes: Record<string, number> = {};
    for (const { table } of personalTables) {
      const partitions = await admin.fetchTopicOffsets(cleanTopic(config, table));
      sizes[table] = partitions.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
    }
    return sizes;
  } finally {
    await admin.disconnect();
  }
}
