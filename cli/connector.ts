import { Command } from 'commander';
import { deleteCapture } from '../connectors/connect/delete-connector.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { connectorName, publicationName, slotName } from '../schemas/names.ts';
import { confirmed } from './confirmed.ts';
import { readProjectFiles } from './project.ts';

interface Flags {
  readonly config: string;
  readonly yes?: true;
  readonly json?: true;
}

/** `lethe connector delete`: what it takes before a new snapshot, when a slot is lost or the source was restored. */
export function connectorCommand(): Command {
  const connector = new Command('connector').description('the Debezium connector of the pipeline');
  connector
    .command('delete')
    .description(
      'delete connector, position, slot and publication, for a new snapshot with the next `apply`; topics and stores stay',
    )
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (flags: Flags, command: Command) => {
      const { config, findings } = await readProjectFiles(flags.config);
      if (!config) throw new FindingsError('CONFIG_INVALID', findings);
      const deleted = {
        connector: connectorName(config),
        slot: slotName(config),
        publication: publicationName(config),
      };
      const what = `connector ${deleted.connector}, its position, slot ${deleted.slot} and publication ${deleted.publication}`;
      if (!flags.yes && !(await confirmed(`Delete ${what}?`))) {
        command.error('error: nothing was deleted: answer y, or use --yes', { exitCode: 2 });
      }
      await deleteCapture(config);
      process.stdout.write(
        flags.json
          ? `${JSON.stringify({ deleted })}\n`
          : `deleted ${what}\nchanges until the next \`lethe apply\` are not captured: \`lethe reconcile --repair\` after it finds what is gone\n`,
      );
    });
  return connector;
}
