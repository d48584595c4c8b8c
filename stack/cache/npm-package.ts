import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { nativePackage, type Platform } from '../platform.ts';
import type { PinnedPackage, PinnedTarball } from '../versions.ts';
import { unpackTar } from './archive.ts';
import { brokenDownload, checkDigest } from './checksum.ts';
import type { InstallContext } from './component.ts';
import { runClient } from './run-client.ts';

/** What is pinned of a package for a platform. */
export function pinnedTarball(pinned: PinnedPackage, platform: Platform): PinnedTarball {
  return pinned.platforms[platform] ?? pinned.platforms['any'] ?? {};
}

/** One sentence about packages of this platform for which no checksum is pinned, or undefined. */
export function unpinnedNotice(packages: readonly PinnedPackage[], platform: Platform): string | undefined {
  const names = packages
    .filter((pinned) => pinnedTarball(pinned, platform).sha512 === undefined)
    .map((pinned) => nativePackage(pinned.package, platform));
  if (names.length === 0) return undefined;
  return `no checksum is pinned for ${names.join(', ')}: npm's own integrity check stands alone`;
}

/**
 * Downloads one package by `npm pack`, checks it, and unpacks it into a folder. The cache of npm is a folder
 * below `work`, so that a broken tarball is thrown away with it and 180 MB are not kept twice.
 */
export async function unpackNpmPackage(
  pinned: PinnedPackage,
  into: string,
  context: InstallContext,
): Promise<void> {
  const { platform, work, report, signal } = context;
  const name = nativePackage(pinned.package, platform);
  const { sha512, bytes } = pinnedTarball(pinned, platform);
  const packed = join(work, `npm-${name.replaceAll(/[@/]/g, '_')}`);
  const npmCache = join(packed, 'cache');
  const out = join(packed, 'out');
  await mkdir(out, { recursive: true });
  await runClient(
    'npm',
    [
      'pack',
      `${name}@${pinned.version}`,
      '--ignore-scripts',
      '--loglevel=error',
      '--pack-destination',
      out,
      '--cache',
      npmCache,
    ],
    // The folder of the product, so that its .npmrc counts as it does for `npm ci`.
    { cwd: packageRoot(), signal, watch: { label: name, folder: npmCache, totalBytes: bytes ?? 0, report } },
  );
  const [file, ...others] = await readdir(out);
  if (file === undefined || others.length > 0)
    throw brokenDownload(name, 'npm did not give exactly one file');
  if (sha512 !== undefined) await checkDigest(join(out, file), 'sha512', 'base64', sha512);
  await unpackTar(join(out, file), into, 1, context);
}
