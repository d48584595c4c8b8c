import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** More than an empty roll record with its transaction marker, less than any segment with rows. */
const emptySegmentBytes = 512;

/**
 * Waits until the broker's files of the raw topics hold no purged rows any more: what was processed is deleted at once, but the
 * bytes leave the disk with their segment, some seconds after the last change. Gives up after the limit: what is
 * left is then for the scan to judge.
 */
export async function waitForPurge(
  logDir: string,
  topics: readonly string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    const sizes = await Promise.all(topics.map((topic) => largestPartitionBytes(logDir, topic)));
    if (Math.max(...sizes) <= emptySegmentBytes) return true;
    await sleep(250, undefined, { signal });
  }
  return false;
}

async function largestPartitionBytes(logDir: string, topic: string): Promise<number> {
  const folders = (await readdir(logDir)).filter((name) => name.startsWith(`${topic}-`));
  // Looking in the wrong place must not pass for "nothing there".
  if (folders.length === 0) throw new Error(`no partition of a raw topic in ${logDir}`);
  const sizes = await Promise.all(
    folders.map(async (folder) => {
      // Files marked .deleted still hold their bytes.
      const files = (await readdir(join(logDir, folder)).catch(() => [])).filter((f) => f.includes('.log'));
      const bytes = await Promise.all(
        files.map((f) =>
          stat(join(logDir, folder, f)).then(
            (s) => s.size,
            () => 0,
          ),
        ),
      );
      return bytes.reduce((sum, n) => sum + n, 0);
    }),
  );
  return Math.max(0, ...sizes);
}
