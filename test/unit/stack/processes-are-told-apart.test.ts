import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killDaemon, signalFamily, startDaemon, stopDaemon } from '../../../stack/process/daemon.ts';
import { readPidFile, writePidFile } from '../../../stack/process/pid-file.ts';
import {
  identifyProcess,
  isRunning,
  parseProcStat,
  type ProcessIdentity,
} from '../../../stack/process/process-identity.ts';
import { descendants } from '../../../stack/process/process-tree.ts';
import { waitUntil } from '../../../stack/wait-until.ts';

let folder: string;
const spawned: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-process-'));
});

afterEach(async () => {
  for (const child of spawned.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function sleeper(): ProcessIdentity {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  spawned.push(child);
  return identifyProcess(child.pid!)!;
}

const pidFile = (): string => join(folder, 'part.pid');

/** Starts a shell script as a part and waits for the word it prints. */
async function startScript(script: string): Promise<ProcessIdentity> {
  const log = join(folder, 'part.log');
  const record = await startDaemon({ command: 'sh', args: ['-c', script], cwd: folder }, log, pidFile());
  await waitUntil(
    async () => ((await readFile(log, 'utf8').catch(() => '')).includes('started') ? true : undefined),
    10_000,
  );
  return record;
}

describe('a process', () => {
  it('is itself', () => {
    const identity = sleeper();
    expect(isRunning(identity)).toBe(true);
  });

  it('is not a later one with its number', () => {
    const identity = sleeper();
    expect(isRunning({ ...identity, startedAt: '1' })).toBe(false);
    expect(isRunning({ ...identity, boot: 'an earlier boot' })).toBe(false);
  });

  it('that has ended does not run', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const identity = identifyProcess(child.pid!)!;
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
  });

  it('that only waits to be reaped does not run', async () => {
    // The inner shell ends; the outer process, now `sleep`, never asks for it.
    const child = spawn('sh', ['-c', 'sh -c "echo $$" & exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    spawned.push(child);
    await once(child.stdout, 'data');
    const zombieIsGone = await waitUntil(
      () => (descendants(child.pid!).length === 0 ? true : undefined),
      10_000,
    );
    expect(zombieIsGone).toBe(true);
  });

  it('may have any name', () => {
    const fields = ['S', '7', ...Array.from({ length: 17 }, (_, index) => String(index)), '4242', 'rest'];
    expect(parseProcStat(`12 (a) name (with) 9 S) ${fields.join(' ')}`)).toEqual({
      state: 'S',
      parent: 7,
      startedAt: '4242',
    });
  });
});

describe('a pid file', () => {
  it('of a process with another start time is stale, and nobody is signalled', () => {
    const foreign = sleeper();
    writePidFile(pidFile(), { ...foreign, startedAt: '1' }, 0);
    expect(readPidFile(pidFile())).toBeUndefined();
    expect(isRunning(foreign)).toBe(true);
  });

  it('gives back what was written', () => {
    const identity = sleeper();
    writePidFile(pidFile(), identity, 12);
    expect(readPidFile(pidFile())).toEqual({ ...identity, sinceMs: 12 });
  });
});

describe('a part', () => {
  it('is stopped by its signal when it goes willingly', async () => {
    const part = await startScript(`trap 'exit 0' TERM; echo started; while :; do sleep 0.05; done`);
    expect(await stopDaemon(part, pidFile(), 'SIGTERM', 10_000)).toBe(true);
    expect(isRunning(part)).toBe(false);
    expect(readPidFile(pidFile())).toBeUndefined();
  });

  it('is killed when it does not stop in time', async () => {
    const part = await startScript(`trap '' TERM; echo started; while :; do sleep 0.05; done`);
    expect(await stopDaemon(part, pidFile(), 'SIGTERM', 200)).toBe(false);
    expect(isRunning(part)).toBe(false);
  });

  it('takes its children along when it is killed, also those in a session of their own', async () => {
    const part = await startScript('setsid sleep 60 & setsid sleep 60 & echo started; wait');
    const children = await waitUntil(() => {
      const found = descendants(part.pid);
      return found.length >= 2 ? found : undefined;
    }, 10_000);
    expect(children).toHaveLength(2);
    await killDaemon(part, pidFile());
    expect(children?.filter(isRunning)).toEqual([]);
  });

  it('is stopped even while it is paused', async () => {
    const part = await startScript(`trap 'exit 0' TERM; echo started; while :; do sleep 0.05; done`);
    signalFamily(part, 'SIGSTOP');
    expect(await stopDaemon(part, pidFile(), 'SIGTERM', 10_000)).toBe(true);
  });

  it('whose program is missing gives the reason', async () => {
    const missing = { command: join(folder, 'none'), args: [], cwd: folder };
    await expect(startDaemon(missing, join(folder, 'log'), pidFile())).rejects.toThrow('ENOENT');
  });
});
