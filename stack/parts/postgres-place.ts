import { chmodSync, chownSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PartFolder } from '../part-folder.ts';
import { StackError } from '../stack-error.ts';
import { closedFolder, postgresOwner } from './postgres-owner.ts';

/** Used by root alone, where the user of Postgres cannot enter the folder of the stack. */
const OUTSIDE = '/var/lib/lethe';
const OUTSIDE_CACHE = '/var/cache/lethe';

/** The cache for the binaries of Postgres: the common one, unless its user could not read there. */
export function postgresCache(cache: string): string {
  const owner = postgresOwner();
  return owner === undefined || closedFolder(cache, owner) === undefined ? cache : OUTSIDE_CACHE;
}

/**
 * Makes the folders of Postgres. Root's Postgres runs as nobody, who may not be able to enter the folder of the
 * stack (below /root, say). Its data then lies outside, under the stack's own id, and `data` and `conf` are links
 * to there, which {@link removeOutsidePlace} follows.
 */
export function makePostgresPlace(folder: PartFolder, stackId: string): void {
  const owner = postgresOwner();
  mkdirSync(folder.root, { recursive: true });
  if (owner === undefined) {
    for (const path of [folder.data, folder.conf]) mkdirSync(path, { recursive: true, mode: 0o700 });
    return;
  }
  const closed = closedFolder(folder.root, owner);
  const outside = join(OUTSIDE, stackId);
  for (const name of ['data', 'conf'] as const) {
    if (closed === undefined || isLink(folder[name])) {
      mkdirSync(folder[name], { recursive: true, mode: 0o700 });
    } else if (lstatSync(folder[name], { throwIfNoEntry: false }) === undefined) {
      mkdirSync(join(outside, name), { recursive: true, mode: 0o755 });
      symlinkSync(join(outside, name), folder[name]);
    } else {
      throw new StackError(
        'FOLDER_CLOSED',
        `Postgres runs as nobody where the caller is root, and nobody cannot enter ${closed}, where its data lies`,
        `run \`chmod o+x ${closed}\`, or move the stack with --dir to a folder that others may enter`,
      );
    }
    chownSync(folder[name], owner.uid, owner.gid);
    chmodSync(folder[name], 0o700);
  }
}

/** Deletes what {@link makePostgresPlace} put outside of the stack's folder. */
export function removeOutsidePlace(folder: PartFolder): void {
  if (!isLink(folder.data)) return;
  const outside = dirname(readlinkSync(folder.data));
  if (dirname(outside) === OUTSIDE) rmSync(outside, { recursive: true, force: true });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
