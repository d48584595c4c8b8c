import { randomBytes } from 'node:crypto';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { TerminalReporter } from '../cli/terminal-reporter.ts';
import { keyStoreResources } from '../keys/resources.ts';
import type { Config } from '../schemas/config.ts';
import { type BenchStackOptions, leaseStack } from './bench-stack.ts';
import { count } from './counts.ts';
import { suppressionText } from './erasure-report.ts';
import { createDatabase, databaseUrl } from '../cli/demo-environment.ts';
import { measureSuppression, type SuppressionCost } from './suppression.ts';

interface Flags extends BenchStackOptions {
  readonly suppressed: number;
  readonly json?: true;
}

interface Report {
  readonly suppressionNs: SuppressionCost;
  readonly load: { readonly before: number; readonly after: number; readonly cpus: number };
}

/** `bench suppression`: what it costs an event to learn whether its person may pass. Of the servers it uses Postgres alone. */
export function suppressionCommand(): Command {
  return new Command('suppression')
    .description('what an event costs where so many persons are suppressed, and how much memory that takes')
    .option('--suppressed <count>', 'suppressed persons', count, 1_000_000)
    .option('--dir <dir>', 'new or empty folder to work in, deleted at the end; else a temporary one')
    .option('--endpoints <file>', 'measure on a running Postgres: what `lethe stack up --json` printed')
    .option('--json', 'print the result as one JSON object')
    .action(async (flags: Flags) => {
      const found = await measure(flags);
      const { before, after, cpus: processors } = found.load;
      process.stdout.write(
        flags.json
          ? `${JSON.stringify(found)}\n`
          : `${suppressionText(found.suppressionNs)}load average ${before} before and ${after} after, on ${processors} processors\n`,
      );
    });
}

async function measure(flags: Flags): Promise<Report> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const reporter = new TerminalReporter();
  const stack = await leaseStack(flags, reporter, interrupted.signal);
  try {
    const database = `bench_${randomBytes(3).toString('hex')}_keys`;
    await createDatabase(stack.endpoints, database);
    const config = {
      keys: {
        url: databaseUrl(stack.endpoints, database),
        master: { kind: 'local', file: join(stack.dir, 'master.json') },
      },
    } satisfies Pick<Config, 'keys'>;
    for (const resource of keyStoreResources(config)) await resource.apply(await resource.diff());
    const before = loadavg()[0]!;
    const suppressionNs = await measureSuppression(config, flags.suppressed, (text) => reporter.say(text));
    return { suppressionNs, load: { before, after: loadavg()[0]!, cpus: cpus().length } };
  } finally {
    await stack.release();
  }
}
