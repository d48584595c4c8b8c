import type { Command } from 'commander';

/** Every command in the order in which help shows them; each is loaded when it is asked for, since some have whole clients behind them. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () => (await import('./check.ts')).checkCommand(),
  suggest: async () => (await import('./suggest.ts')).suggestCommand(),
  diff: async () => (await import('./diff.ts')).diffCommand(),
  preview: async () => (await import('./preview.ts')).previewCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
  plan: async () => (await import('./plan.ts')).planCommand(),
  apply: async () => (await import('./apply.ts')).applyCommand(),
  run: async () => (await import('./run.ts')).runCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  connector: async () => (await import('./connector.ts')).connectorCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  erase: async () => (await import('./erase.ts')).eraseCommand(),
  link: async () => (await import('./link.ts')).linkCommand(),
  readmit: async () => (await import('./readmit.ts')).readmitCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  restrict: async () => (await import('./restrict.ts')).restrictCommand(),
  access: async () => (await import('./access.ts')).accessCommand(),
  glass: async () => (await import('./glass.ts')).glassCommand(),
  reconcile: async () => (await import('./reconcile.ts')).reconcileCommand(),
  wait: async () => (await import('./wait.ts')).waitCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  dlq: async () => (await import('./dlq.ts')).dlqCommand(),
  rebuild: async () => (await import('./rebuild.ts')).rebuildCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
  odcs: async () => (await import('./odcs.ts')).odcsCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
  stack: async () => (await import('./stack.ts')).stackCommand(),
};

/** The command with this name; all of them where none has it, as help and whoever is told of a misspelt name need. */
export function commandsFor(name: string | undefined): Promise<Command[]> {
  const own = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  return Promise.all((own ? [own] : Object.values(commands)).map((load) => load()));
}
