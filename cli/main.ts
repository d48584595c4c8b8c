#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../stack/package-root.ts';
import { commandsFor } from './commands.ts';
import { explainError } from './explain-error.ts';
import { throwInsteadOfExit } from './throw-instead-of-exit.ts';

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
};

const program = new Command('lethe')
  .description('Streams Postgres to search and analytics without the private lives in it.')
  .version(version);
for (const command of await commandsFor(process.argv[2])) program.addCommand(command);

throwInsteadOfExit(program);

// A reader that leaves early, as `| head` does, is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Node would print the message of what nobody caught, and a driver's message may quote a value.
process.on('uncaughtException', (error) => {
  process.stderr.write(explainError(error, process.argv.includes('--json')));
  process.exit(1);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has written its message; its own code says only that help or the version was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(explainError(error, process.argv.includes('--json')));
    process.exitCode = 1;
  }
}
