import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../stack/package-root.ts';

const run = promisify(execFile);
const maker = join(packageRoot(), 'test', 'support', 'nonce-maker.mjs');

/** The nonces of a process of its own with two worker threads beside the main one: as many in each thread. */
async function noncesOfProcess(count: number, ...more: string[]): Promise<string[]> {
  const { stdout } = await run(process.execPath, [maker, String(count), '2', ...more], {
    encoding: 'latin1',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(stdout.length).toBe(3 * 12 * count);
  return Array.from({ length: 3 * count }, (_, i) => stdout.slice(12 * i, 12 * (i + 1)));
}

describe('nonces', { timeout: 120_000 }, () => {
  it('are unique over processes, worker threads and a restart', async () => {
    const count = 25_000;
    const atOnce = await Promise.all([noncesOfProcess(count), noncesOfProcess(count)]);
    const afterRestart = await noncesOfProcess(count);
    expect(new Set([...atOnce.flat(), ...afterRestart]).size).toBe(9 * count);
  });

  it('would be seen to repeat if what they come from were seeded', async () => {
    const count = 100;
    const one = await noncesOfProcess(count, 'seeded');
    const other = await noncesOfProcess(count, 'seeded');
    expect(new Set([...one, ...other]).size).toBeLessThan(6 * count);
  });
});
