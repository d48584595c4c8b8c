import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identifyProcess } from '../../../stack/process/process-identity.ts';
import { claimTestFolder } from '../../support/test-folder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lethe-runs-'));
});

afterEach(() => rm(root, { recursive: true }));

describe('a run of the tests', { timeout: 30_000 }, () => {
  it('is never given the folder of one that goes on', async () => {
    const first = await claimTestFolder(root);
    const second = await claimTestFolder(root);
    expect(second.dir).not.toBe(first.dir);
    first.release();
    second.release();
  });

  it('takes the folder of one that has ended', async () => {
    const first = await claimTestFolder(root);
    first.release();
    const next = await claimTestFolder(root);
    expect(next.dir).toBe(first.dir);
    next.release();
  });

  it('takes the folder of one that was killed, and only then', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    const left = join(root, 'test-stack-1');
    await writeFile(`${left}.lock`, JSON.stringify({ ...identifyProcess(other.pid!), host: hostname() }));
    const beside = await claimTestFolder(root);
    expect(beside.dir).not.toBe(left);
    other.kill('SIGKILL');
    await once(other, 'exit');
    const after = await claimTestFolder(root);
    expect(after.dir).toBe(left);
    beside.release();
    after.release();
  });
});
