import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StackError } from '../stack-error.ts';

/** A user of the system. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user that Postgres runs as, which refuses root: nobody, where the caller is root; else undefined. */
export function postgresOwner(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: askId('-u'), gid: askId('-g') };
}

function askId(flag: '-u' | '-g'): number {
  const asked = spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' });
  const id = Number(asked.stdout);
  if (asked.status === 0 && Number.isInteger(id)) return id;
  throw new StackError(
    'PREFLIGHT',
    'Postgres refuses to run as root, and this system has no user "nobody" to run it as',
    'run as an ordinary user, or add the user nobody',
  );
}

/**
 * The nearest folder on the way to `path`, itself included, that `user` may not enter, or undefined. What does
 * not exist yet is not asked.
 */
export function closedFolder(path: string, user: SystemUser): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  const parent = dirname(path);
  const above = parent === path ? undefined : closedFolder(parent, user);
  if (above !== undefined) return above;
  if (stat === undefined || !stat.isDirectory()) return undefined;
  const bit = stat.uid === user.uid ? 0o100 : stat.gid === user.gid ? 0o010 : 0o001;
  return (stat.mode & bit) === 0 ? path : undefined;
}
