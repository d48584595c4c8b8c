import { Command } from 'commander';
import type { OpenLetter } from '../pipeline/open-letters.ts';
import { groupLetters } from './dlq/group-letters.ts';
import { renderEach, renderGroups } from './dlq/list-letters.ts';
import { mayOpen } from './dlq/may-open.ts';
import { openLetters, withBox, withOpener, withReader } from './dlq/open-mail.ts';
import { retryLetters } from './dlq/retry-letters.ts';
import { isSettled, type RetriedLetter } from './dlq/retry-outcome.ts';
import { countOutcomes, renderOutcomes } from './dlq/retry-report.ts';
import { isExplicit, type Selection, selectLetters } from './dlq/select-letters.ts';
import { describeLetter, readPayload, renderLetter } from './dlq/show-letter.ts';
import { confirmed } from './confirmed.ts';
import { openProject, type Project } from './project.ts';

interface Flags extends Omit<Selection, 'ids'> {
  readonly config: string;
  readonly json?: true;
}

/** `lethe dlq`: what could not be processed: seen, tried again, given up. */
export function dlqCommand(): Command {
  return new Command('dlq')
    .description('dead letters: list, show, retry and discard what could not be processed')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(retryCommand())
    .addCommand(discardCommand());
}

function listCommand(): Command {
  return filtered('list', 'count what is open, by table, stage and code, with the playbook of each')
    .option('--each', 'every letter by its id')
    .action(async (flags: Flags & { each?: true }) => {
      const { chosen } = await selected(await openProject(flags.config), { ...flags, ids: [] });
      const groups = groupLetters(chosen);
      const each = flags.each ? chosen.map(describeLetter) : undefined;
      if (flags.json) return print({ deadLetters: groups, ...(each ? { letters: each } : {}) });
      process.stdout.write(each ? renderEach(chosen) : renderGroups(groups));
    });
}

function showCommand(): Command {
  const command = common('show', 'show one letter: why it failed, and where it comes from');
  return command
    .argument('<id>', 'as `lethe dlq list --each` names it: table/stage/partition/offset')
    .option('--payload', 'and the record itself, decrypted: takes payload:read, or broken glass')
    .action(async (id: string, flags: Flags & { payload?: true }) => {
      const project = await openProject(flags.config);
      const [letter] = (await selected(project, { ids: [id] })).chosen;
      if (!letter) {
        const where = '`lethe dlq list --each` names those that are';
        return command.error(`error: no dead letter with this id is open: ${where}`, { exitCode: 2 });
      }
      if (flags.payload) await mayOpen(project.config, [letter.table]);
      const shown = describeLetter(letter);
      const whole = flags.payload ? { ...shown, payload: await readPayload(project.config, letter) } : shown;
      if (flags.json) return print(whole);
      process.stdout.write(renderLetter(whole));
    });
}

function retryCommand(): Command {
  return selecting('retry', 'try again: the row as it is now, never an older state of it').action(
    async (ids: string[], flags: Flags) => {
      const project = await openProject(flags.config);
      const { chosen, unknown } = await selected(project, { ...flags, ids });
      await mayOpen(
        project.config,
        chosen.map(({ table }) => table),
      );
      const retried = await retryAll(project, chosen, (done) => progress('tried', done, chosen.length));
      const outcomes = countOutcomes(retried);
      const open = retried.filter(({ outcome }) => !isSettled(outcome)).length;
      if (flags.json) print({ retried: outcomes, open, notOpen: unknown });
      else process.stdout.write(`${renderOutcomes(outcomes)}${notOpen(unknown)}`);
      if (open > 0) process.exitCode = 1;
    },
  );
}

function discardCommand(): Command {
  const command = selecting('discard', 'give up: the letter and what it holds are deleted');
  return command
    .option('--yes', 'do not ask')
    .action(async (ids: string[], flags: Flags & { yes?: true }) => {
      const project = await openProject(flags.config);
      const { chosen, unknown } = await selected(project, { ...flags, ids });
      // Ids say what is meant; a filter may mean more than whoever gives it knows.
      const sure = ids.length > 0 || flags.yes === true || chosen.length === 0;
      if (!sure && !(await confirmed(`Discard ${chosen.length} dead letters and what they hold?`))) {
        command.error('error: nothing was discarded: answer y, or use --yes', { exitCode: 2 });
      }
      if (chosen.length > 0) await withBox(project.config, (box) => box.settle(chosen));
      const groups = groupLetters(chosen);
      if (flags.json) return print({ discarded: groups, notOpen: unknown });
      process.stdout.write(`${chosen.length} dead letters discarded\n${notOpen(unknown)}`);
    });
}

/** The open letters that are meant. */
async function selected(
  { config, datasets }: Project,
  selection: Selection,
): Promise<ReturnType<typeof selectLetters>> {
  return selectLetters(await openLetters(config, datasets), selection);
}

async function retryAll(
  project: Project,
  letters: readonly OpenLetter[],
  onDone: (done: number) => void,
): Promise<RetriedLetter[]> {
  if (letters.length === 0) return [];
  const retried: RetriedLetter[] = [];
  const { config } = project;
  await withReader(config, (reader) =>
    withOpener(config, { for: 'retry', letters: String(letters.length) }, (opener) =>
      withBox(config, async (box) => {
        for await (const some of retryLetters({ project, reader, opener, box }, letters)) {
          for (const one of some) retried.push(one);
          onDone(retried.length);
        }
      }),
    ),
  );
  return retried;
}

function common(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
}

function filtered(name: string, description: string): Command {
  return common(name, description)
    .option('--table <table>', 'of this table; without a schema it is one of public')
    .option('--code <code>', 'with this error code')
    .option('--stage <stage>', 'of the transform, or of a sink');
}

/** A command that must be told what is meant. */
function selecting(name: string, description: string): Command {
  const command = filtered(name, description)
    .argument('[id...]', 'as `lethe dlq list --each` names them')
    .option('--all', 'all that are open');
  command.hook('preAction', (_, called) => {
    if (isExplicit({ ...called.opts<Flags>(), ids: called.args })) return;
    command.error('error: say which: ids, --table, --code, --stage or --all', { exitCode: 2 });
  });
  return command;
}

function notOpen(unknown: readonly string[]): string {
  return unknown.map((id) => `not open: ${id}\n`).join('');
}

function progress(what: string, done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${what} ${done} of ${all}${done === all ? '\n' : ''}`);
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
