import { mkdir } from 'node:fs/promises';
import type { InstallContext } from './component.ts';
import { runClient } from './run-client.ts';

/** Unpacks a gzipped tar, without its first `strip` folders; the files belong to the caller. */
export async function unpackTar(
  archive: string,
  into: string,
  strip: number,
  context: Pick<InstallContext, 'work' | 'signal'>,
): Promise<void> {
  await mkdir(into, { recursive: true });
  await runClient('tar', ['-xzf', archive, '-C', into, `--strip-components=${strip}`, '--no-same-owner'], {
    cwd: context.work,
    signal: context.signal,
  });
}
