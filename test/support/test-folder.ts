import { join } from 'node:path';
import { type FileLock, takeLock } from '../../stack/cache/file-lock.ts';

const MOST_RUNS = 20;
/** Enough to find that a lock's process has ended and to take it over; not to wait for one that lives. */
const LIMIT_MS = 1_000;

/** A folder that belongs to one run of the tests for as long as its lock is held. */
export interface TestFolder {
  readonly dir: string;
  release(): void;
}

/**
 * The first folder below `root` that no living run holds. What lies in it was left by a run that has ended, so
 * that the caller may delete it; the folder of a run that still goes on is never given to another.
 */
export async function claimTestFolder(root: string): Promise<TestFolder> {
  for (let number = 1; number <= MOST_RUNS; number += 1) {
    const dir = join(root, `test-stack-${number}`);
    const lock: FileLock | undefined = await takeLock(`${dir}.lock`, LIMIT_MS);
    if (lock !== undefined) return { dir, release: () => lock.release() };
  }
  throw new Error(`${MOST_RUNS} runs of the tests go on in ${root}`);
}
