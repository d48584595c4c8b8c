import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type Suggestion, suggestContracts } from '../connectors/suggest/suggest-contracts.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { type HouseRules, loadHouseRules } from '../schemas/house-rules/load-rules.ts';
import { loadConfig } from '../schemas/load-config.ts';
import { type LoadedContracts, loadContracts } from '../schemas/load-contracts.ts';

interface SuggestFlags {
  readonly config: string;
  readonly all?: true;
  readonly write?: true;
  readonly json?: true;
  readonly sample: number;
}

/** Rows that are looked at together, so not any number of them. */
const mostRows = 10_000;

function parseSample(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= mostRows) return Number(text);
  throw new InvalidArgumentError(`It must be a whole number from 0 to ${mostRows}.`);
}

/** A suggestion and what became of its file. */
interface Outcome {
  readonly suggestion: Suggestion;
  /** As a person would open it. */
  readonly file: string;
  readonly written: boolean;
  /** Why it was not written, though there is a proposal. */
  readonly left?: string;
}

/** `lethe suggest`: proposes contracts for tables of the database; exit 1 if the one asked for can have none. */
export function suggestCommand(): Command {
  const command = new Command('suggest');
  return command
    .description('propose a contract for a table, or for all, from names, types and sampled values')
    .argument('[table]', 'schema.table; without a schema it is one of public')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--all', 'every table of the database')
    .option('--write', 'write the contracts of tables that have none; never over a file')
    .option('--sample <rows>', 'how many rows to look at; 0: names and types alone', parseSample, 200)
    .option('--json', 'print the proposals as JSON')
    .action(async (table: string | undefined, flags: SuggestFlags) => {
      if ((table === undefined) === (flags.all === undefined)) {
        command.error('error: name one table, or ask for --all', { exitCode: 2 });
      }
      const outcomes = await suggest(table, flags);
      process.stdout.write(
        flags.json ? toJson(outcomes) : flags.write ? toLines(outcomes) : toListing(outcomes),
      );
      const refused = outcomes.some(({ suggestion }) => suggestion.refused !== undefined);
      if (table !== undefined && refused) process.exitCode = 1;
    });
}

async function suggest(table: string | undefined, flags: SuggestFlags): Promise<Outcome[]> {
  const { config, contractsFolder: folder, rulesFile, findings } = await loadConfig(flags.config);
  if (!config || folder === undefined) throw new FindingsError('CONFIG_INVALID', findings);
  const rules = rulesFile === undefined ? undefined : await loadHouseRules(rulesFile);
  if (rules && !rules.house) throw new FindingsError('CONTRACT_INVALID', rules.findings);
  const present = await presentContracts(folder, rules?.house, flags.write === true);
  const suggestions = await withSource(config.postgres, (client) =>
    suggestContracts(client, {
      table: table === undefined || table.includes('.') ? table : `public.${table}`,
      sampleRows: flags.sample,
      config,
      existing: present.contracts,
      house: rules?.house,
    }),
  );
  const outcomes: Outcome[] = [];
  for (const suggestion of suggestions) {
    const file = join(folder, suggestion.file);
    const own = present.contracts.find(({ contract }) => contract.table === suggestion.table);
    const taken = own && `the table has a contract already, in ${own.document.file}`;
    const left =
      flags.write && suggestion.proposed ? (taken ?? (await write(folder, suggestion))) : undefined;
    const written = flags.write === true && suggestion.proposed !== undefined && left === undefined;
    outcomes.push({ suggestion, file, written, ...(left === undefined ? {} : { left }) });
  }
  return outcomes;
}

/**
 * Contracts that are there; there may be none yet, nor a folder. Beside a file that cannot be read nothing is
 * written: it may be the contract of any table.
 */
async function presentContracts(
  folder: string,
  house: HouseRules | undefined,
  write: boolean,
): Promise<LoadedContracts> {
  const loaded = await loadContracts(folder, house);
  const broken = loaded.findings.filter(
    ({ code, file }) => code !== 'NO_CONTRACTS' && basename(file) !== basename(folder),
  );
  if (write && broken.length > 0) throw new FindingsError('CONTRACT_INVALID', broken);
  return loaded;
}

/** Writes the file unless there is one; then says so. */
async function write(folder: string, { file, proposed }: Suggestion): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(join(folder, file), proposed!.yaml, { flag: 'wx' });
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return 'the file is there already';
  }
}

function toListing(outcomes: readonly Outcome[]): string {
  const documents = outcomes.flatMap(({ suggestion, file }) =>
    suggestion.proposed ? [`# file: ${file}\n${suggestion.proposed.yaml}`] : [],
  );
  const refused = outcomes.flatMap(({ suggestion: { table, refused } }) =>
    refused === undefined ? [] : [`# no contract for ${table}: ${refused}\n`],
  );
  return `${documents.join('---\n')}${refused.join('')}`;
}

function toLines(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(({ suggestion, file, left }) => {
    if (suggestion.refused !== undefined) return `no contract for ${suggestion.table}: ${suggestion.refused}`;
    return left === undefined ? `wrote ${file}` : `left ${file}: ${left}`;
  });
  return `${lines.join('\n')}\n`;
}

function toJson(outcomes: readonly Outcome[]): string {
  const contracts = outcomes.map(({ suggestion, file, written, left }) => ({
    table: suggestion.table,
    ...(suggestion.proposed
      ? { file, contract: suggestion.proposed.contract, reasons: suggestion.proposed.reasons, written }
      : { refused: suggestion.refused }),
    ...(left === undefined ? {} : { left }),
  }));
  return `${JSON.stringify({ contracts })}\n`;
}
