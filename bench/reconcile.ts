import { mkdirSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { openProject } from '../cli/project.ts';
import { reconcileDataset } from '../cli/reconcile.ts';
import { TerminalReporter } from '../cli/terminal-reporter.ts';
import { waitForSinks } from '../cli/wait-for-sinks.ts';
import { deleteCapture } from '../connectors/connect/delete-connector.ts';
import { clickhouseDatabase, clickhouseTable } from '../schemas/names.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { insertBacklog } from './backlog.ts';
import { type BenchProject, makeProject } from './bench-project.ts';
import { type BenchStackOptions, leaseStack } from './bench-stack.ts';
import { Child } from './child.ts';

interface Flags extends BenchStackOptions {
  readonly rows: number;
  readonly json?: true;
}

/** What a reconciliation costs. */
interface Report {
  readonly rows: number;
  /** Seconds from the start to the answer, without and with a repair of the row that was changed. */
  readonly seconds: { readonly found: number; readonly repaired: number };
  /** Rows a second, each compared with both stores. */
  readonly rowsPerSecond: number;
  /** Most memory that the process took meanwhile, MB. */
  readonly memoryMb: number;
  readonly load: { readonly before: number; readonly after: number; readonly cpus: number };
}

/** `bench reconcile`: a table of so many rows in both stores, one of them changed by hand in ClickHouse. */
export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description('what it costs to find one changed row among many, and to repair it')
    .option('--rows <count>', 'rows of the table', count, 1_000_000)
    .option('--dir <dir>', 'new or empty folder to work in, deleted at the end; else a temporary one')
    .option('--endpoints <file>', 'measure on running servers: what `lethe stack up --json` printed')
    .option('--json', 'print the result as one JSON object')
    .action(async (flags: Flags) => {
      const found = await measure(flags);
      process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : reportText(found));
    });
}

async function measure(flags: Flags): Promise<Report> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const { signal } = interrupted;
  const reporter = new TerminalReporter();
  const say = (text: string) => reporter.say(text);
  const stack = await leaseStack(flags, reporter, signal);
  const cleanUps: (() => Promise<void>)[] = [() => stack.release()];
  try {
    const logs = join(stack.dir, 'logs');
    mkdirSync(logs, { recursive: true });
    const bench = await makeProject(stack.endpoints, stack.dir);
    cleanUps.push(() => deleteCapture(bench.config));
    const run = new Child('cli/main.js', ['run', '--config', bench.configPath], join(logs, 'run.log'));
    cleanUps.push(() => run.stop());
    await run.joined;
    say(`writing ${flags.rows} rows`);
    await insertBacklog(bench, 1, flags.rows);
    say('waiting for both stores to have them');
    await waitForSinks(bench.config, [bench.dataset], { signal });
    await changeOneRow(bench, Math.ceil(flags.rows / 2));
    const before = loadavg()[0]!;
    const look = await timed(bench, false, signal, say);
    if (look.found !== 1)
      throw new Error(`${look.found} rows were found instead of the one that was changed`);
    const repair = await timed(bench, true, signal, say);
    if (repair.left !== 0) throw new Error(`${repair.left} rows are left after the repair`);
    return {
      rows: flags.rows,
      seconds: { found: look.seconds, repaired: repair.seconds },
      rowsPerSecond: Math.round(flags.rows / look.seconds),
      memoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
      load: { before, after: loadavg()[0]!, cpus: cpus().length },
    };
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

async function changeOneRow({ config, dataset }: BenchProject, id: number): Promise<void> {
  const client = createClickhouseClient(config.clickhouse!);
  const rows = `${clickhouseDatabase(config)}.${clickhouseTable(dataset.table, 1)}`;
  try {
    await client.command({
      query: `ALTER TABLE ${rows} UPDATE status = 'by hand' WHERE id = ${id} SETTINGS mutations_sync = 1`,
    });
  } finally {
    await client.close();
  }
}

async function timed(
  bench: BenchProject,
  repairs: boolean,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<{ seconds: number; found: number; left: number }> {
  const project = await openProject(bench.configPath);
  const result = await reconcileDataset(project, project.datasets[0]!, { repairs, signal, onProgress: say });
  return { seconds: result.seconds, found: result.found.length, left: result.left.length };
}

function reportText({ rows, seconds, rowsPerSecond, memoryMb, load }: Report): string {
  return [
    `${rows} rows in two stores, one changed: found in ${seconds.found} s (${rowsPerSecond} rows/s), ` +
      `found and repaired in ${seconds.repaired} s; at most ${memoryMb} MB`,
    `load average ${load.before} before and ${load.after} after, on ${load.cpus} processors\n`,
  ].join('\n');
}

function count(text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}
