#!/usr/bin/env node
import { Command } from 'commander';
import { explainError } from '../cli/explain-error.ts';
import { engineCommand } from './engine.ts';
import { erasureCommand } from './erasure.ts';
import { pipelineCommand } from './pipeline.ts';
import { reconcileCommand } from './reconcile.ts';
import { suppressionCommand } from './suppression-command.ts';

const program = new Command('bench')
  .description('Measures Lethe: npm run bench -- <name> [--json]')
  .addCommand(engineCommand())
  .addCommand(erasureCommand())
  .addCommand(pipelineCommand())
  .addCommand(reconcileCommand())
  .addCommand(suppressionCommand());

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(explainError(error, process.argv.includes('--json')));
  process.exitCode = 1;
}
