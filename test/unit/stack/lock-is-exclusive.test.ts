import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from '../../../stack/cache/file-lock.ts';
import { identifyProcess } from '../../../stack/process/process-identity.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-lock-'));
  path = join(folder, 'install.lock');
});

afterEach(() => rm(folder, { recursive: true }));

describe('a lock', () => {
  it('has one holder at a time, and everybody gets a turn', async () => {
    let holders = 0;
    let most = 0;
    const turns = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const lock = await takeLock(path, 30_000);
        holders += 1;
        most = Math.max(most, holders);
        await Promise.resolve();
        holders -= 1;
        lock?.release();
        return lock !== undefined;
      }),
    );
    expect(turns).toEqual([true, true, true, true, true]);
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is not given while its holder lives, and says who that is', async () => {
    const lock = await takeLock(path, 0);
    const waitedFor: number[] = [];
    expect(await takeLock(path, 500, (pid) => waitedFor.push(pid))).toBeUndefined();
    expect(waitedFor).toEqual([process.pid]);
    lock?.release();
    expect(await takeLock(path, 0)).toBeDefined();
  });

  it('of a process that was killed is taken over', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await writeFile(path, JSON.stringify({ ...identifyProcess(child.pid!), host: hostname() }));
    expect(await takeLock(path, 300)).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await takeLock(path, 5_000)).toBeDefined();
  });

  it('of another host is taken over only when its heartbeat has stopped', async () => {
    const foreign = { pid: 1, startedAt: '1', boot: 'another', host: 'another-host' };
    await writeFile(path, JSON.stringify(foreign));
    expect(await takeLock(path, 300)).toBeUndefined();
    const longAgo = new Date(Date.now() - 10 * 60_000);
    await utimes(path, longAgo, longAgo);
    expect(await takeLock(path, 5_000)).toBeDefined();
  });

  it('is not waited for after an abort', async () => {
    const lock = await takeLock(path, 0);
    const controller = new AbortController();
    const waiting = takeLock(path, 60_000, () => controller.abort(), controller.signal);
    await expect(waiting).rejects.toThrow('abort');
    lock?.release();
  });
});
