import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../stack/cache/cache-folder.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { PART_NAMES } from '../../stack/part-name.ts';
import { closedFolder, postgresOwner } from '../../stack/parts/postgres-owner.ts';
import { postgresCache } from '../../stack/parts/postgres-place.ts';
import { readPidFile } from '../../stack/process/pid-file.ts';
import { openStack, type Stack } from '../../stack/stack.ts';

/** Where the tests run as root; elsewhere all other tests are this one. */
const user = postgresOwner();
const canEnter = user !== undefined && closedFolder(packageRoot(), user) === undefined;

describe.runIf(canEnter)('an ordinary user', () => {
  let folder: string;
  let stack: Stack;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lethe-user-'));
    stack = openStack(join(folder, 'stack'));
    const cache = join(folder, 'cache');
    mkdirSync(cache);
    // What root has downloaded, as links: the user can read it, and write beside it.
    for (const from of new Set([cacheFolder(), postgresCache(cacheFolder())])) {
      expect(spawnSync('cp', ['-al', `${from}/.`, cache]).status).toBe(0);
    }
    rmSync(join(cache, 'work'), { recursive: true, force: true });
    rmSync(join(cache, 'classes'), { recursive: true, force: true });
    for (const path of [folder, cache]) chownSync(path, user!.uid, user!.gid);
  });

  afterAll(() => {
    if (stack) for (const part of PART_NAMES) killLeft(part);
    rmSync(folder, { recursive: true, force: true });
  });

  function killLeft(part: (typeof PART_NAMES)[number]): void {
    const pid = readPidFile(stack.partDir(part).pidFile)?.pid;
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  async function lethe(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [join(packageRoot(), 'dist', 'cli', 'main.js'), 'stack', ...args], {
      ...user,
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, LETHE_CACHE: join(folder, 'cache') },
    });
    const text = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text.out += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (text.err += part));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...text };
  }

  it('starts the whole stack, every process of it as himself, and ends it', async () => {
    const up = await lethe('up', '--dir', stack.dir, '--json');
    expect(up.err.split('\n').filter((line) => line.startsWith('error'))).toEqual([]);
    expect(up.code).toBe(0);
    const states = (await stack.status()).map(({ part, state }) => `${part} ${state}`);
    expect(states).toEqual(PART_NAMES.map((part) => `${part} ready`));
    for (const part of PART_NAMES) {
      const { pid } = readPidFile(stack.partDir(part).pidFile)!;
      expect((await stat(`/proc/${pid}`)).uid).toBe(user!.uid);
    }
    expect((await lethe('down', '--dir', stack.dir)).code).toBe(0);
    expect((await stack.status()).every(({ state }) => state === 'down')).toBe(true);
  });
});
