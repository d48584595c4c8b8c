import { Command } from 'commander';
import { exportContracts, type ExportFlags } from './odcs-export.ts';
import { importContracts, type ImportFlags } from './odcs-import.ts';

/** `lethe odcs`: contracts to and from the Open Data Contract Standard. */
export function odcsCommand(): Command {
  return new Command('odcs')
    .description('contracts to and from the Open Data Contract Standard (ODCS, Bitol)')
    .addCommand(exportCommand())
    .addCommand(importCommand());
}

function exportCommand(): Command {
  const command = new Command('export');
  return command
    .description('write a contract, or all, as ODCS v3.1.0, with the types of the database')
    .argument('[table]', 'schema.table; without a schema it is one of public')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--all', 'every contract')
    .option('--out <folder>', 'a file for each, in this folder; without it they are printed')
    .option('--offline', 'without types: asks no server')
    .option('--json', 'print JSON')
    .action(async (table: string | undefined, flags: ExportFlags) => {
      if ((table === undefined) === (flags.all === undefined)) {
        command.error('error: name one table, or ask for --all', { exitCode: 2 });
      }
      process.stdout.write(await exportContracts(table, flags));
    });
}

function importCommand(): Command {
  return new Command('import')
    .description(
      'write a contract for each table of ODCS files; never over a file, nothing if one cannot be taken',
    )
    .argument('<file...>', 'files of the standard, version 3, in YAML or JSON')
    .option('-c, --config <file>', 'configuration, which names the folder of the contracts', 'lethe.yaml')
    .option('--out <folder>', 'another folder; then no configuration is read')
    .option('--json', 'print what was written as JSON')
    .action(async (files: string[], flags: ImportFlags) => {
      process.stdout.write(await importContracts(files, flags));
    });
}
