import { mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { TerminalReporter } from '../cli/terminal-reporter.ts';
import { deleteCapture } from '../connectors/connect/delete-connector.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { sinkNames } from '../schemas/sink-name.ts';
import { makeProject } from './bench-project.ts';
import { type BenchStackOptions, leaseStack } from './bench-stack.ts';
import { letheConnector, pauseConnector, startDebeziumAlone } from './connector.ts';
import { measureLatency, rowsOf } from './latency.ts';
import { report, type Report, reportText } from './report.ts';
import { createPassthroughTopic, measureRound, type Rates } from './throughput.ts';

interface PipelineFlags extends BenchStackOptions {
  readonly rows: number;
  readonly rounds: number;
  readonly json?: true;
}

const transactionsPerSecond = 1_000;
const latencyMs = 20_000;
/** A round that is not counted: the servers compile their code, and every subject gets its key. */
const warmUpRows = 20_000;

/** `bench pipeline`: what the whole path does, stage by stage, beside Debezium alone and a bare passthrough. */
export function pipelineCommand(): Command {
  return new Command('pipeline')
    .description('rows a second of every stage, and the time from commit to visible')
    .option('--rows <count>', 'rows of a round', count, 200_000)
    .option('--rounds <count>', 'rounds; the medians are reported', count, 3)
    .option('--dir <dir>', 'new or empty folder to work in, deleted at the end; else a temporary one')
    .option('--endpoints <file>', 'measure on running servers: what `lethe stack up --json` printed')
    .option('--json', 'print the result as one JSON object')
    .action(async (flags: PipelineFlags) => {
      const found = await measurePipeline(flags);
      process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : reportText(found));
    });
}

async function measurePipeline(flags: PipelineFlags): Promise<Report> {
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
    const project = await makeProject(stack.endpoints, stack.dir);
    cleanUps.push(() => deleteCapture(project.config));
    const admin = createKafka(project.config, 'bench').admin();
    await admin.connect();
    cleanUps.push(() => admin.disconnect());
    await createPassthroughTopic(project, admin);
    const alone = await startDebeziumAlone(project);
    const dropAlone = () => deleteCapture(alone.config);
    cleanUps.push(dropAlone);
    for (const connector of [alone, letheConnector(project)]) await pauseConnector(connector, signal);
    const parts = { project, alone, admin, logs, signal, say };
    const rounds: Rates[] = [];
    const { rows } = flags;
    say('warming up');
    await measureRound(parts, { first: 1, rows: warmUpRows });
    for (let round = 0; round < flags.rounds; round++) {
      say(`round ${round + 1} of ${flags.rounds}`);
      rounds.push(await measureRound(parts, { first: 1 + 2 * (warmUpRows + round * rows), rows }));
    }
    await dropAlone();
    cleanUps.pop();
    const first = 1 + 2 * (warmUpRows + flags.rounds * rows);
    const load = { first, ratePerSecond: transactionsPerSecond, measuredMs: latencyMs, sinks: [] };
    const topics = await measureLatency(parts, load);
    const next = { ...load, first: first + rowsOf(load), sinks: sinkNames };
    const stores = await measureLatency(parts, next);
    failed = false;
    return report(rows, rounds, { topics, stores }, { before, after: loadavg()[0]!, cpus: cpus().length });
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

function count(text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}
