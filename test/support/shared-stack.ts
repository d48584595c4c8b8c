import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../stack/package-root.ts';
import { Stack } from '../../stack/stack.ts';

/**
 * One stack for all tests with servers of a run, fresh at its start and deleted at its end. Tests find it by
 * LETHE_TEST_ENDPOINTS; who sets that beforehand lends a stack of his own, which is left as it is.
 */
export default async function shareStack(): Promise<(() => Promise<void>) | undefined> {
  if (process.env['LETHE_TEST_ENDPOINTS']) return undefined;
  const dir = join(packageRoot(), '.lethe', 'test-stack');
  const file = `${dir}.endpoints.json`;
  const stack = new Stack(dir, {
    say: (text) => process.stderr.write(`${text}\n`),
    progress: () => undefined,
    progressEnd: () => undefined,
  });
  await stack.reset(); // what an interrupted run has left
  const endpoints = await stack.up();
  await writeFile(file, JSON.stringify(endpoints), { mode: 0o600 });
  process.env['LETHE_TEST_ENDPOINTS'] = file;
  process.env['LETHE_TEST_STACK_DIR'] = dir;
  return async () => {
    await stack.reset();
    await rm(file);
  };
}
