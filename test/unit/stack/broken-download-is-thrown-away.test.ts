import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Component,
  componentPath,
  installMissing,
  isInstalled,
} from '../../../stack/cache/component.ts';
import { pinnedTarball, unpackNpmPackage, unpinnedNotice } from '../../../stack/cache/npm-package.ts';
import { silentReporter } from '../../../stack/reporter.ts';
import type { PinnedPackage } from '../../../stack/versions.ts';

const NAME = 'lethe-test-package';
const context = {
  platform: 'linux-x64',
  javaBin: (tool: string) => tool,
  report: silentReporter,
  signal: new AbortController().signal,
} as const;

let folder: string;
let good: Buffer;
let other: Buffer;
let registry: Server;
/** What the registry gives, and the digest it claims for it. */
let served: { tarball: Buffer; claimed: string };

type Served = typeof served;

const vouchedFor = (tarball: Buffer): Served => ({ tarball, claimed: digest(tarball) });

const digest = (bytes: Buffer): string => createHash('sha512').update(bytes).digest('base64');

async function pack(content: string): Promise<Buffer> {
  const source = join(folder, 'source', 'package');
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'package.json'), JSON.stringify({ name: NAME, version: '1.0.0' }));
  await writeFile(join(source, 'server.bin'), content);
  const tarball = join(folder, 'packed.tgz');
  execFileSync('tar', ['-czf', tarball, '-C', join(folder, 'source'), 'package']);
  return readFile(tarball);
}

function corrupted(bytes: Buffer): Buffer {
  const broken = Buffer.from(bytes);
  broken[broken.length >> 1]! ^= 0xff;
  return broken;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-download-'));
  good = await pack('the server');
  other = await pack('another server');
  served = { tarball: good, claimed: digest(good) };
  registry = createServer((request, response) => {
    if (request.url?.endsWith('.tgz')) return response.end(served.tarball);
    const tarball = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/package.tgz`;
    const dist = { tarball, integrity: `sha512-${served.claimed}` };
    const version = { name: NAME, version: '1.0.0', dist };
    response.setHeader('content-type', 'application/json');
    return response.end(
      JSON.stringify({ name: NAME, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }),
    );
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  vi.stubEnv('npm_config_registry', `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`);
  vi.stubEnv('npm_config_fetch_retries', '0');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  registry.closeAllConnections();
  registry.close();
  await rm(folder, { recursive: true });
});

function component(): Component {
  const pinned: PinnedPackage = {
    package: NAME,
    version: '1.0.0',
    platforms: { any: { sha512: digest(good), bytes: good.length } },
  };
  return {
    folder: `${NAME}-1.0.0`,
    cache: join(folder, 'cache'),
    title: 'a test package',
    client: 'npm',
    downloadBytes: good.length,
    keptBytes: 10,
    install: (install) => unpackNpmPackage(pinned, install.target, install),
  };
}

// npm itself is run: a second or two each, more on a busy machine.
describe('a download', { timeout: 60_000 }, () => {
  it('that is whole is installed, and nothing else stays in the cache', async () => {
    await installMissing([component()], context);
    expect(await readFile(join(componentPath(component()), 'server.bin'), 'utf8')).toBe('the server');
    expect((await readdir(join(folder, 'cache'))).toSorted()).toEqual([component().folder, 'work']);
    expect(await readdir(join(folder, 'cache', 'work'))).toEqual([]);
  });

  it.each([
    ['that is another file than the pinned one, whoever vouches for it', () => vouchedFor(other)],
    ['that is no archive, whoever vouches for it', () => vouchedFor(corrupted(good))],
    ['that is not what the registry announced', () => ({ tarball: other, claimed: digest(good) })],
  ])('%s is thrown away, and a later one works', async (_, serve) => {
    served = serve();
    await expect(installMissing([component()], context)).rejects.toMatchObject({
      code: 'BROKEN_DOWNLOAD',
      message: expect.stringContaining('thrown away') as string,
    });
    expect(isInstalled(component())).toBe(false);
    expect(await readdir(join(folder, 'cache', 'work'))).toEqual([]);
    served = { tarball: good, claimed: digest(good) };
    await installMissing([component()], context);
    expect(isInstalled(component())).toBe(true);
  });

  it('that several want at once is made once', async () => {
    let installs = 0;
    const counted: Component = {
      ...component(),
      install: async (install) => {
        installs += 1;
        await component().install(install);
      },
    };
    await Promise.all([1, 2, 3].map(() => installMissing([counted], context)));
    expect(installs).toBe(1);
    expect(isInstalled(counted)).toBe(true);
  });

  it('that an earlier process left half-way is cleared', async () => {
    const left = join(folder, 'cache', 'work', 'left', component().folder);
    await mkdir(left, { recursive: true });
    await writeFile(join(left, 'server.bin'), 'the ser');
    await installMissing([component()], context);
    expect(await readdir(join(folder, 'cache', 'work'))).toEqual([]);
    expect(await readFile(join(componentPath(component()), 'server.bin'), 'utf8')).toBe('the server');
  });

  it('from a registry that does not answer says which client failed', async () => {
    registry.closeAllConnections();
    registry.close();
    await once(registry, 'close');
    await expect(installMissing([component()], context)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('npm failed') as string,
    });
  });

  it('that is aborted leaves nothing', async () => {
    const aborted = AbortSignal.abort();
    await expect(installMissing([component()], { ...context, signal: aborted })).rejects.toThrow('abort');
    expect(isInstalled(component())).toBe(false);
  });
});

describe('a package', () => {
  const pinned: PinnedPackage = {
    package: '@scope/lib-{platform-libc}',
    version: '1.0.0',
    platforms: { 'linux-x64': { sha512: 'x', bytes: 1 } },
  };

  it('without a pinned checksum says so', () => {
    expect(unpinnedNotice([pinned], 'linux-x64')).toBeUndefined();
    expect(unpinnedNotice([pinned], 'linux-arm64')).toContain('@scope/lib-linux-arm64-gnu');
    expect(unpinnedNotice([pinned], 'darwin-arm64')).toContain('@scope/lib-darwin-arm64');
    expect(pinnedTarball(pinned, 'darwin-arm64')).toEqual({});
  });
});
