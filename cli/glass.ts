import { Command, Option } from 'commander';
import { defaultOpenMs, type GlassKind, glassKinds } from '../keys/access/glass.ts';
import {
  approveGlass,
  closeGlass,
  listGlass,
  type ReasonedGlass,
  requestGlass,
} from '../keys/access/glass-store.ts';
import { acted } from './acted.ts';
import { parseTimeMs } from './duration-option.ts';
import { keysConfig } from './keys-config.ts';
import { permitted } from './permitted.ts';
import { renderGlass } from './show-access.ts';
import { parseCount } from './whole-number.ts';

interface Flags {
  readonly config: string;
  readonly json?: true;
}

/** `lethe glass`: to do once, for a while, what one's role may not; two others approve. */
export function glassCommand(): Command {
  return new Command('glass')
    .description('break the glass: for a reason, for a while, and when two others approve')
    .addCommand(askCommand())
    .addCommand(approveCommand())
    .addCommand(closeCommand())
    .addCommand(listCommand());
}

interface AskFlags {
  readonly for: GlassKind;
  readonly table?: string;
  readonly classification?: string;
  readonly reason: string;
  readonly open: number;
}

function askCommand(): Command {
  return common('ask', 'ask for it; two others approve, within a day')
    .addOption(
      new Option(
        '--for <what>',
        'payload: what dead letters hold; decrypt: values; readmit: a person’s return',
      )
        .choices(glassKinds)
        .makeOptionMandatory(),
    )
    .option('--table <table>', 'schema.table; to decrypt it must be said')
    .option('--classification <classification>', 'to decrypt it must be said')
    .requiredOption('--reason <text>', 'why; no personal data')
    .addOption(
      new Option('--open <duration>', 'how long, from the second approval on; a day at most')
        .argParser(parseTimeMs)
        .default(defaultOpenMs, '1h'),
    )
    .action(async (flags: Flags & AskFlags) => {
      const { for: kind, table, classification, reason, open: openMs } = flags;
      const use = {
        kind,
        ...(table === undefined ? {} : { table }),
        ...(classification === undefined ? {} : { classification }),
      };
      const glass = await acted(flags, 'glass:ask', (config, { name }) =>
        requestGlass(config, { use, reason, openMs }, name),
      );
      show(flags, glass, `glass ${glass.id} waits for two others: \`lethe glass approve ${glass.id}\`\n`);
    });
}

function approveCommand(): Command {
  return common('approve', 'approve what somebody else asked for')
    .argument('<id>')
    .action(async (id: string, flags: Flags) => {
      const glass = await acted(flags, 'glass:approve', (config, by) => approveGlass(config, id, by));
      const state = glass.opensUntil
        ? `is open until ${glass.opensUntil.toISOString()}`
        : 'waits for one more approval';
      show(flags, glass, `glass ${id} of ${glass.principal} ${state}: ${glass.reason}\n`);
    });
}

function closeCommand(): Command {
  return common('close', 'close one before its time: who asked or approved may')
    .argument('<id>')
    .action(async (id: string, flags: Flags) => {
      await acted(flags, 'glass:ask', (config, { name }) => closeGlass(config, id, name));
      if (flags.json) print({ closed: id });
      else process.stdout.write(`glass ${id} is closed\n`);
    });
}

function listCommand(): Command {
  return common('list', 'the newest: who asked for what, why, and who approved')
    .option('--limit <count>', 'how many', parseCount, 50)
    .action(async ({ limit, ...flags }: Flags & { readonly limit: number }) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'audit:read');
      const all = await listGlass(config, limit);
      if (flags.json) print(all);
      else process.stdout.write(renderGlass(all, new Date()));
    });
}

function show(flags: Flags, glass: ReasonedGlass, text: string): void {
  if (flags.json) print(glass);
  else process.stdout.write(text);
}

function common(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
