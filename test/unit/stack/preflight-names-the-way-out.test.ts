import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Component } from '../../../stack/cache/component.ts';
import { parseJavaMajor } from '../../../stack/java-tool.ts';
import { closedFolder } from '../../../stack/parts/postgres-owner.ts';
import { currentPlatform } from '../../../stack/platform.ts';
import {
  checkDisk,
  checkNode,
  checkTools,
  PreflightError,
  unsupportedPlatform,
} from '../../../stack/preflight.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-preflight-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** A PATH with these programs alone; a text is a script, anything else the program of this machine. */
async function pathWith(programs: Readonly<Record<string, string | true>>): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    const path = join(bin, name);
    if (script === true)
      await symlink(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), path);
    else await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return bin;
}

const javaThatSays = (version: string): string => `echo 'openjdk version "${version}"' >&2`;

function missing(client: 'npm' | 'mvn', bytes = 1): Component {
  return {
    folder: 'x-1',
    cache: join(folder, 'cache'),
    title: 'x',
    client,
    downloadBytes: bytes,
    keptBytes: bytes,
    install: () => Promise.resolve(),
  };
}

describe('the preflight', () => {
  it('finds nothing where all is there', async () => {
    const PATH = await pathWith({ java: javaThatSays('17.0.15') });
    expect(checkTools([], { PATH })).toEqual([]);
  });

  it('says how to get Java', async () => {
    const findings = checkTools([], { PATH: await pathWith({}) });
    expect(findings).toMatchObject([{ code: 'JAVA_MISSING' }]);
    expect(findings[0]?.fix).toContain('apt-get install openjdk-17-jdk-headless maven');
    expect(findings[0]?.fix).toContain('brew install openjdk@17 maven');
  });

  it.each([
    ['11.0.2', 11],
    ['1.8.0_392', 8],
  ])('names a Java that is too old: %s', async (version, major) => {
    const PATH = await pathWith({ java: javaThatSays(version) });
    const findings = checkTools([], { PATH });
    expect(findings).toMatchObject([{ code: 'JAVA_TOO_OLD' }]);
    expect(findings[0]?.message).toContain(`is Java ${major}`);
  });

  it('takes a stub that only complains for a missing Java', async () => {
    const PATH = await pathWith({ java: 'echo "Unable to locate a Java Runtime." >&2; exit 1' });
    expect(checkTools([], { PATH })).toMatchObject([{ code: 'JAVA_MISSING' }]);
  });

  it('prefers JAVA_HOME to PATH', async () => {
    const PATH = await pathWith({ java: javaThatSays('11.0.2') });
    await mkdir(join(folder, 'jdk', 'bin'), { recursive: true });
    await writeFile(join(folder, 'jdk', 'bin', 'java'), `#!/bin/sh\n${javaThatSays('21.0.1')}\n`, {
      mode: 0o755,
    });
    expect(checkTools([], { PATH, JAVA_HOME: join(folder, 'jdk') })).toEqual([]);
  });

  it('asks for the clients only when something must be downloaded, and for all that lack at once', async () => {
    const PATH = await pathWith({ java: javaThatSays('17.0.15') });
    expect(checkTools([missing('mvn'), missing('npm')], { PATH }).map((finding) => finding.code)).toEqual([
      'JAVAC_MISSING',
      'MAVEN_MISSING',
      'NPM_MISSING',
      'TAR_MISSING',
    ]);
  });

  it('finds a disk that is too small, and which setting moves what', async () => {
    const findings = await checkDisk([missing('npm', 1e18)], join(folder, 'stack'));
    expect(findings).toMatchObject([{ code: 'DISK_FULL' }]);
    expect(findings[0]?.fix).toContain('LETHE_CACHE');
    expect(await checkDisk([missing('npm')], join(folder, 'stack'))).toEqual([]);
  });

  it.each([
    ['20.18.3', 1],
    ['18.20.0', 1],
    ['20.19.0', 0],
    ['24.1.0', 0],
  ])('knows whether Node %s will do', (version, findings) => {
    expect(checkNode(version)).toHaveLength(findings);
  });

  it('knows the platforms that have binaries', () => {
    expect(currentPlatform('linux', 'x64', false)).toBe('linux-x64');
    expect(currentPlatform('linux', 'x64', true)).toBeUndefined();
    expect(currentPlatform('win32', 'x64')).toBeUndefined();
    expect(unsupportedPlatform('win32', 'x64').message).toContain('win32-x64');
  });

  it('tells several findings in one message, each with its way out', () => {
    const findings = [...checkNode('18.0.0'), unsupportedPlatform('sunos', 'sparc')];
    const error = new PreflightError(findings);
    expect(error.code).toBe('PREFLIGHT');
    for (const { message, fix } of findings) {
      expect(error.message).toContain(message);
      expect(error.message).toContain(fix);
    }
  });

  it('tells a single finding by its own code', () => {
    expect(new PreflightError(checkNode('18.0.0'))).toMatchObject({ code: 'NODE_TOO_OLD' });
  });

  it('reads what versions of Java say', () => {
    expect(parseJavaMajor('openjdk version "17.0.15" 2025-04-15')).toBe(17);
    expect(parseJavaMajor('java version "1.8.0_392"')).toBe(8);
    expect(parseJavaMajor('no java here')).toBeUndefined();
  });
});

describe('a folder', () => {
  const stranger = { uid: 4_000_001, gid: 4_000_001 };

  it('that a stranger may not enter is found, however deep the path', async () => {
    const closed = join(folder, 'closed');
    await mkdir(join(closed, 'open', 'deep'), { recursive: true });
    await chmod(folder, 0o755);
    await chmod(closed, 0o700);
    expect(closedFolder(join(closed, 'open', 'deep'), stranger)).toBe(closed);
    expect(closedFolder(join(closed, 'not-there-yet'), stranger)).toBe(closed);
    await chmod(closed, 0o711);
    expect(closedFolder(join(closed, 'open', 'deep'), stranger)).toBeUndefined();
  });

  it('is judged by the rights of its owner where the owner asks', async () => {
    const own = { uid: process.getuid!(), gid: process.getgid!() };
    await chmod(folder, 0o077);
    expect(closedFolder(folder, own)).toBe(folder);
    await chmod(folder, 0o700);
    expect(closedFolder(folder, own)).toBeUndefined();
  });
});
