import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

// Homebrew keeps its JDKs out of PATH unless told otherwise.
const USUAL_HOMES = [
  '/opt/homebrew/opt/openjdk@17',
  '/opt/homebrew/opt/openjdk@21',
  '/opt/homebrew/opt/openjdk',
  '/usr/local/opt/openjdk@17',
  '/usr/local/opt/openjdk',
];

/** The full path of a program on PATH, or undefined. */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** A tool of the JDK: from JAVA_HOME, from PATH, or from where Homebrew puts it. */
export function findJavaTool(
  name: 'java' | 'javac' | 'jar',
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const home = env['JAVA_HOME'];
  const inHome = home === undefined || home === '' ? undefined : join(home, 'bin', name);
  if (inHome !== undefined && isExecutable(inHome)) return inHome;
  const onPath = findProgram(name, env['PATH'] ?? '');
  if (onPath !== undefined) return onPath;
  if (process.platform !== 'darwin') return undefined;
  return USUAL_HOMES.map((folder) => join(folder, 'bin', name)).find(isExecutable);
}

/** The major version that a `java` reports, or undefined if it cannot be run (macOS ships a stub). */
export function javaMajor(java: string): number | undefined {
  const asked = spawnSync(java, ['-version'], { encoding: 'utf8', timeout: 20_000 });
  return asked.status === 0 ? parseJavaMajor(asked.stderr) : undefined;
}

/** Reads `openjdk version "17.0.15"` and the old `java version "1.8.0_392"`. */
export function parseJavaMajor(text: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
