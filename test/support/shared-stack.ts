import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../stack/package-root.ts';
import { Stack } from '../../stack/stack.ts';
import { claimTestFolder } from './test-folder.ts';

/**
 * One stack for all tests with servers of a run, fresh at its start and deleted at its end. Several runs in one
 * checkout have a stack each. Tests find theirs by LETHE_TEST_ENDPOINTS; who sets that beforehand lends a stack of
 * his own, which is left as it is.
 */
export default async function shareStack(): Promise<(() => Promise<void>) | undefined> {
  if (process.env['LETHE_TEST_ENDPOINTS']) return undefined;
  const folder = await claimTestFolder(join(packageRoot(), '.lethe'));
  const file = `${folder.dir}.endpoints.json`;
  const stack = new Stack(folder.dir, {
    say: (text) => process.stderr.write(`${text}\n`),
    progress: () => undefined,
    progressEnd: () => undefined,
  });
  const end = async (): Promise<void> => {
    await stack.reset();
    await rm(file, { force: true });
    folder.release();
  };
  try {
    await stack.reset(); // what a run that was killed has left
    await writeFile(file, JSON.stringify(await stack.up()), { mode: 0o600 });
  } catch (error) {
    await end();
    throw error;
  }
  process.env['LETHE_TEST_ENDPOINTS'] = file;
  process.env['LETHE_TEST_STACK_DIR'] = folder.dir;
  return end;
}
