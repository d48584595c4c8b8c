import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './stack-error.ts';
import type { PortName } from './ports.ts';

/** What a stack remembers between runs: who it is, its ports, its passwords. */
export interface StackState {
  readonly id: string;
  readonly ports: Readonly<Partial<Record<PortName, number>>>;
  /** Ports that a person chose: taken ones are an error, never replaced in silence. */
  readonly fixedPorts: readonly PortName[];
  readonly passwords: {
    readonly postgres: string;
    readonly registryDatabase: string;
    readonly clickhouse: string;
  };
}

/** Path of the file with the state; it holds passwords and is readable by its owner alone. */
export function statePath(stackDir: string): string {
  return join(stackDir, 'stack.json');
}

/** The state of a stack, or undefined when there is no stack in this folder. */
export function readState(stackDir: string): StackState | undefined {
  let text: string;
  try {
    text = readFileSync(statePath(stackDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(stackDir, error);
  }
  try {
    return JSON.parse(text) as StackState;
  } catch (error) {
    throw unreadable(stackDir, error);
  }
}

function unreadable(stackDir: string, cause: unknown): StackError {
  return new StackError(
    'DATA_UNREADABLE',
    `${statePath(stackDir)} cannot be read: it holds the ports and passwords of this stack`,
    `run as the user who made it, or delete the stack with \`lethe stack reset --dir ${stackDir}\``,
    { cause },
  );
}

/** A new state with passwords of its own. */
export function newState(): StackState {
  return {
    id: randomUUID(),
    ports: {},
    fixedPorts: [],
    passwords: { postgres: password(), registryDatabase: password(), clickhouse: password() },
  };
}

/** Letters and digits only: it stands unescaped in URLs and configuration files. 143 bits. */
function password(): string {
  return randomBytes(32)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 24);
}

/** Writes the state whole or not at all. */
export function writeState(stackDir: string, state: StackState): void {
  mkdirSync(stackDir, { recursive: true });
  const path = statePath(stackDir);
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
