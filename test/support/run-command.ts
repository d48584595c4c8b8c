import { type Command, CommanderError } from 'commander';
import { vi } from 'vitest';
import { explainError } from '../../cli/explain-error.ts';
import { throwInsteadOfExit } from '../../cli/throw-instead-of-exit.ts';

/** What a command said, and the code that it would have ended with. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of the CLI in this process, as main does, under these variables. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const said = { out: '', err: '' };
  const take = (name: 'out' | 'err') => (text: unknown) => {
    said[name] += String(text);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(take('err')),
  ];
  const before = process.exitCode;
  const names = Object.keys(env);
  const own = names.map((name) => process.env[name]);
  process.exitCode = undefined;
  Object.assign(process.env, env);
  try {
    throwInsteadOfExit(command);
    await command.parseAsync([...args], { from: 'user' });
    const ended: unknown = process.exitCode;
    return { code: ended === undefined ? 0 : Number(ended), ...said };
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode === 0 ? 0 : 2, ...said };
    said.err += explainError(error, args.includes('--json'));
    return { code: 1, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = before;
    for (const [i, name] of names.entries()) {
      if (own[i] === undefined) delete process.env[name];
      else process.env[name] = own[i];
    }
  }
}
