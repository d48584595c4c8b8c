import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Client } from 'pg';
import { loadSample, loadSchema } from '../examples/beancart/sample.ts';
import { startTraffic, type Traffic } from '../examples/beancart/traffic.ts';
import { openStack } from '../stack/stack.ts';
import { applyProject } from './apply.ts';
import {
  createDatabase,
  databaseUrl,
  demoConfig,
  demoEnvironment,
  type Processors,
  startProcessors,
} from './demo-environment.ts';
import { proveOnce } from './demo-once.ts';
import { liveView, whereToLook } from './demo-view.ts';
import { openProject } from './project.ts';
import { TerminalReporter } from './terminal-reporter.ts';
import { parseCount } from './whole-number.ts';

interface DemoFlags {
  readonly dir: string;
  readonly once?: true;
  readonly json?: true;
  readonly seed: number;
  readonly customers: number;
}

const transactionsPerSecond = 40;
const onceTrafficMs = 20_000;

/** `lethe demo`: the whole path on this machine, on BeanCart, with live traffic. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('run everything on this machine, on the BeanCart sample with live traffic')
    .option('--once', 'run it through, compare every row, scan for canaries, and exit')
    .option('--dir <dir>', 'folder for the data; what an earlier demo left there is deleted', '.lethe/demo')
    .option('--customers <count>', 'customers of the sample', parseCount, 2_000)
    .option('--seed <seed>', 'seed of sample and traffic', parseCount, 42)
    .option('--json', 'with --once: print the result as JSON')
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const dir = resolve(flags.dir);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const stack = openStack(join(dir, 'stack'), new TerminalReporter());
  let processors: Processors | undefined;
  let traffic: Traffic | undefined;
  try {
    mkdirSync(dir, { recursive: true });
    await stack.reset();
    const endpoints = await stack.up({ signal: interrupted.signal });
    const env = demoEnvironment(endpoints, dir);
    Object.assign(process.env, env);
    await createDatabase(endpoints, 'beancart');
    await loadBeancart(databaseUrl(endpoints, 'beancart'), flags, say);
    const changes = await applyProject(demoConfig);
    say(`applied the contracts: ${changes.length} resources (lethe plan shows them)`);
    processors = startProcessors(dir, env);
    traffic = startTraffic(databaseUrl(endpoints, 'beancart'), { seed: flags.seed, transactionsPerSecond });
    const project = await openProject(demoConfig);
    const running = { project, stack, processors, traffic, signal: interrupted.signal };
    if (flags.once) {
      const proven = await proveOnce(running, { trafficMs: onceTrafficMs, json: flags.json === true, say });
      if (!proven) process.exitCode = 1;
    } else {
      process.stdout.write(whereToLook(endpoints, env));
      await liveView(running);
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  } finally {
    say('stopping');
    await traffic?.stop().catch(() => {});
    await processors?.stop();
    await stack.down();
  }
}

async function loadBeancart(url: string, flags: DemoFlags, say: (text: string) => void): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await loadSchema(client);
    const counts = await loadSample(client, { customers: flags.customers, seed: flags.seed });
    const rows = Object.values(counts).reduce((sum, n) => sum + n, 0);
    say(
      `loaded BeanCart: ${flags.customers} customers, ${rows} rows in ${Object.keys(counts).length} tables`,
    );
  } finally {
    await client.end();
  }
}
