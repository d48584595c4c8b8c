#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../stack/package-root.ts';
import { accessCommand } from './access.ts';
import { applyCommand } from './apply.ts';
import { auditCommand } from './audit.ts';
import { checkCommand } from './check.ts';
import { connectorCommand } from './connector.ts';
import { demoCommand } from './demo.ts';
import { diffCommand } from './diff.ts';
import { linkCommand } from './link.ts';
import { readmitCommand } from './readmit.ts';
import { eraseCommand } from './erase.ts';
import { dlqCommand } from './dlq.ts';
import { exportCommand } from './export.ts';
import { explainError } from './explain-error.ts';
import { glassCommand } from './glass.ts';
import { keysCommand } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { odcsCommand } from './odcs.ts';
import { planCommand } from './plan.ts';
import { previewCommand } from './preview.ts';
import { reconcileCommand } from './reconcile.ts';
import { rebuildCommand } from './rebuild.ts';
import { replayCommand } from './replay.ts';
import { restrictCommand } from './restrict.ts';
import { runCommand } from './run.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';
import { stackCommand } from './stack.ts';
import { suggestCommand } from './suggest.ts';
import { waitCommand } from './wait.ts';
import { throwInsteadOfExit } from './throw-instead-of-exit.ts';

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string;
};

const program = new Command('lethe')
  .description('Streams Postgres to search and analytics without the private lives in it.')
  .version(version)
  .addCommand(checkCommand())
  .addCommand(suggestCommand())
  .addCommand(diffCommand())
  .addCommand(previewCommand())
  .addCommand(migrateCommand())
  .addCommand(planCommand())
  .addCommand(applyCommand())
  .addCommand(runCommand())
  .addCommand(statusCommand())
  .addCommand(connectorCommand())
  .addCommand(keysCommand())
  .addCommand(auditCommand())
  .addCommand(eraseCommand())
  .addCommand(linkCommand())
  .addCommand(readmitCommand())
  .addCommand(exportCommand())
  .addCommand(restrictCommand())
  .addCommand(accessCommand())
  .addCommand(glassCommand())
  .addCommand(reconcileCommand())
  .addCommand(waitCommand())
  .addCommand(serveCommand())
  .addCommand(dlqCommand())
  .addCommand(rebuildCommand())
  .addCommand(replayCommand())
  .addCommand(odcsCommand())
  .addCommand(demoCommand())
  .addCommand(stackCommand());

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
