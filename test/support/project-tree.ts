import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '..', '..');

/** Files under version control that are there, by their path from the root. */
export function trackedFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' });
  return list.split('\0').filter((path) => path !== '' && existsSync(join(projectRoot, path)));
}

/** Text of a file of the project. */
export function projectText(path: string): string {
  return readFileSync(join(projectRoot, path), 'utf8');
}
