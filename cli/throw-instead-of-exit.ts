import type { Command } from 'commander';

/** Commander's own errors are thrown, of all subcommands too: they do not inherit it from a parent that they were added to. */
export function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}
