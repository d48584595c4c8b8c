import { Argument, Command, InvalidArgumentError } from 'commander';
import { isPartName, PART_NAMES, type PartName } from '../stack/part-name.ts';
import { parsePorts, portsFromBase, type PortName, type Ports } from '../stack/ports.ts';
import { silentReporter } from '../stack/reporter.ts';
import { openStack, type Stack } from '../stack/stack.ts';
import { StackError } from '../stack/stack-error.ts';
import { statePath } from '../stack/stack-state.ts';
import { printLog } from './stack-log.ts';
import { statusTable } from './stack-table.ts';
import { confirmed } from './confirmed.ts';
import { TerminalReporter } from './terminal-reporter.ts';
import { parseCount } from './whole-number.ts';

interface Common {
  readonly dir: string;
  readonly json?: true;
}

interface UpFlags extends Common {
  readonly portBase?: Ports;
  readonly ports?: Partial<Record<PortName, number>>;
}

/** `lethe stack …`: the servers that the product works with, on this machine, for demos and tests. */
export function stackCommand(): Command {
  const stack = new Command('stack').description(
    'run Postgres, Kafka, Connect, registry, Elasticsearch and ClickHouse here',
  );
  add(stack, 'up', 'start every server, downloading what is missing')
    .option('--port-base <port>', 'give the parts this port and the next ones', usage(parseBase))
    .option('--ports <list>', 'fixed ports, as postgres=5433,kafka=9093', usage(parsePorts))
    .action(up);
  add(stack, 'down', 'stop every server; the data stays').action(down);
  add(stack, 'status', 'show what runs and whether it answers').action(status);
  add(stack, 'reset', 'stop every server and delete all data').option('--yes', 'do not ask').action(reset);
  withPart(add(stack, 'logs', 'print the log of a part'))
    .option('--follow', 'go on printing as it grows')
    .option('--lines <count>', 'how many of the last lines', parseCount, 50)
    .action((part: PartName, flags: Common & { follow?: true; lines: number }) =>
      printLog(part, openStack(flags.dir).partDir(part).logFile, flags),
    );
  withPart(add(stack, 'start', 'start one part')).action(
    onPart('started', (opened, part) => opened.start(part)),
  );
  withPart(add(stack, 'restart', 'stop one part and start it again')).action(
    onPart('restarted', (opened, part) => opened.restart(part)),
  );
  withPart(add(stack, 'kill', 'end one part with SIGKILL, as in a crash')).action(
    onPart('killed', (opened, part) => opened.kill(part)),
  );
  return stack;
}

function add(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--dir <dir>', 'folder with the data of the stack', '.lethe/stack')
    .option('--json', 'print one JSON object on stdout');
}

function withPart(command: Command): Command {
  return command.addArgument(new Argument('<part>', 'one of the parts').choices(PART_NAMES));
}

/** What the stack refuses in an option is an error of usage. */
function usage<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      throw new InvalidArgumentError(`${error.message}; ${error.fix}.`);
    }
  };
}

function parseBase(text: string): Ports {
  return portsFromBase(/^\d+$/.test(text) ? Number(text) : Number.NaN);
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

async function up(flags: UpFlags): Promise<void> {
  const opened = openStack(flags.dir, new TerminalReporter());
  const startedAt = performance.now();
  const endpoints = await interruptible((signal) =>
    opened.up({ ports: { ...flags.portBase, ...flags.ports }, signal }),
  );
  process.stderr.write(
    `all parts are ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`,
  );
  if (flags.json) return print(endpoints);
  process.stdout.write(statusTable(await opened.status()));
  process.stdout.write(
    `Passwords lie in ${statePath(opened.dir)}; \`lethe stack up --json\` prints the URLs with them.\n`,
  );
}

/** Ctrl-C half-way stops what was started, instead of leaving it behind. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw new StackError(
      'INTERRUPTED',
      'interrupted; what was started has been stopped',
      'run the command again',
      {
        cause: error,
      },
    );
  } finally {
    for (const name of signals) process.off(name, interrupt);
  }
}

async function down(flags: Common): Promise<void> {
  const stopped = await openStack(flags.dir, new TerminalReporter()).down();
  if (flags.json) print({ stopped });
  else if (stopped.length === 0) process.stdout.write('nothing was running\n');
}

async function status(flags: Common): Promise<void> {
  const parts = await openStack(flags.dir, silentReporter).status();
  if (flags.json) print({ parts });
  else process.stdout.write(statusTable(parts));
}

async function reset(flags: Common & { yes?: true }): Promise<void> {
  const opened = openStack(flags.dir, new TerminalReporter());
  // Whoever is no terminal has meant it.
  const asked = !flags.yes && process.stdin.isTTY;
  if (asked && !(await confirmed(`Delete all data of the stack in ${opened.dir}?`))) {
    throw new StackError('NEEDS_CONFIRMATION', 'nothing was deleted', 'answer y, or use --yes');
  }
  await opened.reset();
  if (flags.json) print({ reset: opened.dir });
  else process.stdout.write(`deleted the stack in ${opened.dir}\n`);
}

function onPart(
  done: string,
  work: (opened: Stack, part: PartName) => Promise<void>,
): (part: string, flags: Common) => Promise<void> {
  return async (part, flags) => {
    if (!isPartName(part))
      throw new StackError('UNKNOWN_PART', `there is no part ${part}`, PART_NAMES.join(', '));
    await work(openStack(flags.dir, new TerminalReporter()), part);
    if (flags.json) print({ [done]: part });
    else process.stdout.write(`${done} ${part}\n`);
  };
}
