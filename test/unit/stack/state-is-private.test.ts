import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../../stack/cache/cache-folder.ts';
import { withoutCredentials } from '../../../stack/cache/run-client.ts';
import { endpointsOf } from '../../../stack/endpoints.ts';
import { portsFromBase } from '../../../stack/ports.ts';
import { openStack } from '../../../stack/stack.ts';
import { newState, readState, statePath, writeState } from '../../../stack/stack-state.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-state-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('the state of a stack', () => {
  it('is read back as it was written, and by its owner alone', async () => {
    const state = newState();
    writeState(folder, state);
    expect(readState(folder)).toEqual(state);
    expect((await stat(statePath(folder))).mode & 0o777).toBe(0o600);
  });

  it('has passwords of its own, which stand unescaped in a URL', () => {
    const [one, other] = [newState(), newState()];
    expect(Object.values(one.passwords)).toSatisfy((all: string[]) =>
      all.every((password) => /^[A-Za-z0-9]{20,}$/.test(password)),
    );
    expect(new Set([...Object.values(one.passwords), ...Object.values(other.passwords)]).size).toBe(6);
    const endpoints = endpointsOf(portsFromBase(20_000), one.passwords);
    expect(new URL(endpoints.postgres.url).password).toBe(one.passwords.postgres);
    expect(new URL(endpoints.clickhouse.url).password).toBe(one.passwords.clickhouse);
  });

  it('that cannot be read says so, without its content', async () => {
    await writeFile(statePath(folder), '{"passwords":{"postgres":"hush');
    expect(() => readState(folder)).toThrow(expect.objectContaining({ code: 'DATA_UNREADABLE' }));
    expect(() => readState(folder)).not.toThrow('hush');
    await openStack(folder).reset();
    expect(readState(folder)).toBeUndefined();
  });
});

describe('a stack that does not exist', () => {
  it('is not deleted together with what else lies in its folder', async () => {
    await writeFile(join(folder, 'thesis.txt'), 'years of work');
    await expect(openStack(folder).reset()).rejects.toMatchObject({ code: 'NOTHING_HERE' });
    expect((await stat(join(folder, 'thesis.txt'))).size).toBe(13);
  });

  it('is down', async () => {
    expect(await openStack(join(folder, 'none')).down()).toEqual([]);
    expect((await openStack(folder).status()).map(({ state }) => state)).toEqual(Array(6).fill('down'));
    await expect(openStack(folder).kill('kafka')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });
});

describe('the cache', () => {
  it('lies where the user says, then where the system says, then at home', () => {
    expect(cacheFolder({ LETHE_CACHE: '/big/disk', XDG_CACHE_HOME: '/xdg' }, '/h')).toBe('/big/disk');
    expect(cacheFolder({ XDG_CACHE_HOME: '/xdg' }, '/h')).toBe('/xdg/lethe');
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' }, '/h')).toBe('/h/.cache/lethe');
    expect(cacheFolder({}, '/h')).toBe('/h/.cache/lethe');
  });
});

describe('the output of a package client', () => {
  it('is shown without the password of a mirror', () => {
    expect(withoutCredentials('GET https://me:hush@mirror.example/x failed')).toBe(
      'GET https://mirror.example/x failed',
    );
  });
});
