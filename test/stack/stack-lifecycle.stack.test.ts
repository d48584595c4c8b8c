import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../stack/package-root.ts';
import { PART_NAMES, type PartName } from '../../stack/part-name.ts';
import { findProgram } from '../../stack/java-tool.ts';
import { readPidFile } from '../../stack/process/pid-file.ts';
import { isRunning } from '../../stack/process/process-identity.ts';
import { descendants } from '../../stack/process/process-tree.ts';
import { openStack, type Stack } from '../../stack/stack.ts';
import { waitUntil } from '../../stack/wait-until.ts';
import { acquireStack } from '../support/stack.ts';
import { readWitness, wordsEverywhere, writeWitness } from '../support/stack-witness.ts';

let folder: string;
let stack: Stack;

beforeAll(async () => {
  // A space, since paths have them; below a folder that others may enter, since Postgres is another user for root.
  folder = await mkdtemp(join(tmpdir(), 'lethe stack-'));
  stack = openStack(join(folder, 'data'));
});

afterAll(async () => {
  await stack.reset();
  await rm(folder, { recursive: true });
});

const MAIN = join(packageRoot(), 'dist', 'cli', 'main.js');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function lethe(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, 'stack', ...args], { env: { ...process.env, ...env } });
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.err += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...texts }));
  return { child, ended };
}

function pidsOf(parts: readonly PartName[] = PART_NAMES): number[] {
  return parts.flatMap((part) => readPidFile(stack.partDir(part).pidFile)?.pid ?? []);
}

async function states(): Promise<Record<string, string>> {
  return Object.fromEntries((await stack.status()).map(({ part, state }) => [part, state]));
}

const all = (state: string): Record<string, string> =>
  Object.fromEntries(PART_NAMES.map((part) => [part, state]));

describe('a stack', () => {
  it('starts every part, ready for real requests, and tells where as one JSON object', async () => {
    const { code, out } = await lethe(['up', '--dir', stack.dir, '--json']).ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(stack.endpoints());
    expect(JSON.parse(out)).toEqual({
      postgres: {
        url: expect.stringMatching(/^postgres:\/\/postgres:\w+@127\.0\.0\.1:\d+\/postgres$/) as string,
      },
      kafka: { brokers: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)] },
      connect: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string },
      registry: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/apis\/ccompat\/v7$/) as string },
      elasticsearch: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string },
      clickhouse: { url: expect.stringMatching(/^http:\/\/lethe:\w+@127\.0\.0\.1:\d+$/) as string },
    });
    expect(await states()).toEqual(all('ready'));
  });

  it('runs beside another one, and neither sees what the other holds', async () => {
    const other = (await acquireStack()).endpoints;
    const own = stack.endpoints();
    const ports = [own, other].map((endpoints) =>
      JSON.stringify(endpoints)
        .match(/127\.0\.0\.1:\d+/g)
        ?.toSorted(),
    );
    expect(new Set(ports.flat()).size).toBe(12);
    await writeWitness(own, 'first');
    const otherSubjects = (await (await fetch(`${other.registry.url}/subjects`)).json()) as string[];
    expect(otherSubjects).not.toContain('witness-first');
    const index = await fetch(`${other.elasticsearch.url}/witness`, { method: 'HEAD' });
    expect(index.status).toBe(404);
  });

  it('lets nobody in without the password', async () => {
    const { postgres, clickhouse } = stack.endpoints();
    const url = new URL(clickhouse.url);
    url.username = url.password = '';
    const asNobody = await fetch(`${url.href}?query=SELECT+count()+FROM+witness.words`);
    // 497: not enough privileges.
    expect(asNobody.headers.get('x-clickhouse-exception-code')).toBe('497');
    const wrong = new URL(postgres.url);
    wrong.password = 'guess';
    await expect(new Client({ connectionString: wrong.href }).connect()).rejects.toThrow('password');
  });

  it('keeps every word when all parts are killed one after the other', async () => {
    for (const part of PART_NAMES) await stack.kill(part);
    expect(await states()).toEqual(all('down'));
    const endpoints = await stack.up();
    expect(await readWitness(endpoints, 1)).toEqual(wordsEverywhere(['first']));
    await writeWitness(endpoints, 'second');
  });

  it('goes on when one part is killed and started, and is honest while it is paused', async () => {
    await stack.kill('postgres');
    expect(await states()).toMatchObject({ postgres: 'down', kafka: 'ready' });
    await stack.start('postgres');
    stack.pause('clickhouse');
    expect((await states())['clickhouse']).toBe('unready');
    stack.resume('clickhouse');
    expect(await states()).toEqual(all('ready'));
  });

  it('is taken down from another process after its parent was killed, and keeps every word', async () => {
    await stack.down();
    const parent = lethe(['up', '--dir', stack.dir]);
    await waitUntil(() => (pidsOf(['kafka', 'registry']).length === 2 ? true : undefined), 60_000);
    parent.child.kill('SIGKILL');
    await parent.ended;
    const orphans = [...pidsOf().flatMap((pid) => [...descendants(pid)]), ...PART_NAMES.flatMap(pidRecord)];
    expect(orphans.length).toBeGreaterThan(4);
    const { code, out } = await lethe(['down', '--dir', stack.dir, '--json']).ended;
    expect(code).toBe(0);
    expect((JSON.parse(out) as { stopped: string[] }).stopped).toContain('kafka');
    expect(orphans.filter(isRunning)).toEqual([]);
    expect(await readWitness(await stack.up(), 2)).toEqual(wordsEverywhere(['first', 'second']));
  });

  it('that is interrupted while it starts leaves nothing running', async () => {
    await stack.down();
    const starting = lethe(['up', '--dir', stack.dir]);
    await waitUntil(() => (pidsOf(['kafka', 'elasticsearch']).length === 2 ? true : undefined), 60_000);
    const begun = PART_NAMES.flatMap(pidRecord);
    starting.child.kill('SIGINT');
    const { code, err } = await starting.ended;
    expect(code).toBe(1);
    expect(err).toContain('error INTERRUPTED');
    expect(begun.filter(isRunning)).toEqual([]);
    expect(pidsOf()).toEqual([]);
  });

  it('writes no password to its logs', async () => {
    const state = JSON.parse(await readFile(join(stack.dir, 'stack.json'), 'utf8')) as {
      passwords: Record<string, string>;
    };
    for (const part of PART_NAMES) {
      const log = await readFile(stack.partDir(part).logFile, 'utf8');
      for (const password of Object.values(state.passwords)) expect(log.includes(password)).toBe(false);
    }
  });
});

describe('a start that cannot succeed', () => {
  it('names the part and the port that is in use, before anything starts', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const { code, err } = await lethe(['up', '--dir', stack.dir, '--ports', `registry=${port}`]).ended;
    holder.close();
    expect(code).toBe(1);
    expect(err).toContain(`error PORT_IN_USE: port ${port} of registry is in use`);
    expect(err).toContain('fix: ');
    expect(pidsOf()).toEqual([]);
  });

  it('says how to get Java where there is none, before anything starts', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    for (const name of ['id', 'npm', 'tar']) await symlink(findProgram(name)!, join(bin, name));
    const dir = join(folder, 'without-java');
    const { code, err } = await lethe(['up', '--dir', dir, '--json'], { PATH: bin, JAVA_HOME: '' }).ended;
    expect(code).toBe(1);
    const { error } = JSON.parse(err) as { error: { code: string; fix: string } };
    expect(error.code).toBe('JAVA_MISSING');
    expect(error.fix).toContain('apt-get install openjdk-17-jdk-headless maven');
    expect(error.fix).toContain('brew install openjdk@17 maven');
    expect(existsSync(join(dir, 'stack.json'))).toBe(false);
  });
});

function pidRecord(part: PartName): NonNullable<ReturnType<typeof readPidFile>>[] {
  const record = readPidFile(stack.partDir(part).pidFile);
  return record === undefined ? [] : [record];
}
