import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { Advice } from '../connectors/ddl/advice.ts';
import { advise } from '../connectors/ddl/advise.ts';
import { readFacts } from '../connectors/ddl/facts.ts';
import { type DdlStatement, parseDdl } from '../connectors/ddl/statement.ts';
import { type Tried, tryStatement } from '../connectors/ddl/try-statement.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { LetheError } from '../schemas/errors.ts';
import { hasErrors } from '../schemas/finding.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { readProjectFiles } from './project.ts';
import { renderAdvice } from './show-advice.ts';

interface Flags {
  readonly config: string;
  readonly file?: string;
  readonly try?: true;
  readonly json?: true;
}

/** `lethe migrate`: what a DDL statement would do to the pipeline, and the safe order; changes nothing. Exit 1 if it takes one. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'say what DDL of the application would do to the pipeline, and the order of steps that is safe',
    )
    .argument('[statements]', 'the DDL, statements parted by semicolons')
    .option('--file <file>', 'read the DDL from a file')
    .option(
      '--try',
      'have Postgres try each statement in a transaction that is rolled back, half a second at most',
    )
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async (text: string | undefined, flags: Flags, command: Command) => {
      if ((text === undefined) === (flags.file === undefined)) {
        command.error('error: give the DDL, or --file', { exitCode: 2 });
      }
      const statements = parseDdl(text ?? (await readDdl(flags.file!)));
      const { advice, tried } = await adviseProject(flags.config, statements, flags.try === true);
      process.stdout.write(
        flags.json ? `${JSON.stringify({ statements: advice, tried })}\n` : renderAdvice(advice, tried),
      );
      if (advice.some(({ outcome }) => outcome !== 'safe')) process.exitCode = 1;
    });
}

async function adviseProject(
  configPath: string,
  statements: readonly DdlStatement[],
  tries: boolean,
): Promise<{ advice: Advice[]; tried: Tried[] }> {
  const { config, contracts, findings } = await readProjectFiles(configPath);
  if (!config || hasErrors(findings)) throw new FindingsError('CONTRACT_INVALID', findings);
  const files = contracts.map(({ contract, document }) => ({ contract, file: document.file }));
  return await withSource(config.postgres, async (client) => {
    const advice = advise(statements, await readFacts(client, config, files, statements));
    const tried: Tried[] = [];
    // What is not known here may do anything at all, and is not tried.
    const known = statements.filter(({ actions }) =>
      actions.every(({ action }) => action.kind !== 'unknown'),
    );
    for (const statement of tries ? new Set(known.map((one) => one.text)) : []) {
      tried.push({ statement, sqlstate: await tryStatement(client, statement) });
    }
    return { advice, tried };
  });
}

async function readDdl(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new LetheError('CONFIG_INVALID', `${file} cannot be read (${reason})`, {
      fix: 'Correct the path, or give this user the right to read it.',
    });
  }
}
