import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMaster } from '../../../keys/master/check-master.ts';
import { KmsMasterKeys } from '../../../keys/master/kms-master.ts';
import { LocalMasterKeys } from '../../../keys/master/local-master.ts';
import type { MasterKeys } from '../../../keys/master/master-key.ts';
import { VaultMasterKeys } from '../../../keys/master/vault-master.ts';
import { KmsDouble } from '../../support/kms-double.ts';
import { VaultDouble } from '../../support/vault-double.ts';

const folder = mkdtempSync(join(tmpdir(), 'lethe-master-'));
const file = join(folder, 'master.json');
const secret = Buffer.from('an epoch key of thirty-two bytes');
const context = Buffer.from('context');
let vault: VaultDouble;
let kms: KmsDouble;

beforeAll(async () => {
  [vault, kms] = await Promise.all([VaultDouble.start(), KmsDouble.start()]);
});
afterAll(async () => {
  await Promise.all([vault.stop(), kms.stop()]);
  rmSync(folder, { recursive: true });
});

const vaultAt = (changes = {}) =>
  new VaultMasterKeys({ kind: 'vault', url: vault.url, token: vault.token, mount: 'transit', ...changes });
const kmsAt = (changes = {}) =>
  new KmsMasterKeys({
    kind: 'aws-kms',
    region: 'eu-central-1',
    endpoint: kms.url,
    accessKeyId: kms.accessKeyId,
    secretAccessKey: 'a secret',
    ...changes,
  });
const kinds: readonly (readonly [string, () => MasterKeys])[] = [
  ['local', () => new LocalMasterKeys(file)],
  ['vault', () => vaultAt()],
  ['aws-kms', () => kmsAt()],
];

/** What every kind must do; see MasterKeys. */
describe.each(kinds)('master keys of kind %s', (kind, open) => {
  it('open what they wrapped, in another process too, and in its context alone', async () => {
    const keys = open();
    expect(keys.kind).toBe(kind);
    const name = await keys.create();
    const wrapped = await keys.wrap(name, secret, context);
    expect(wrapped.includes(secret)).toBe(false);
    expect(await open().unwrap(name, wrapped, context)).toEqual(secret);
    const refused = { code: 'KEY_STORE_INVALID' };
    await expect(keys.unwrap(name, wrapped, Buffer.from('another'))).rejects.toMatchObject(refused);
    const altered = Buffer.from(wrapped);
    altered[altered.length - 2]! ^= 3;
    await expect(keys.unwrap(name, altered, context)).rejects.toMatchObject(refused);
  });

  it('open nothing of each other', async () => {
    const keys = open();
    const [one, other] = [await keys.create(), await keys.create()];
    expect(one).not.toBe(other);
    const wrapped = await keys.wrap(one, secret, context);
    await expect(keys.unwrap(other, wrapped, context)).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
  });

  it('open and wrap nothing more once they are destroyed, which may be asked for again', async () => {
    const keys = open();
    const [name, left] = [await keys.create(), await keys.create()];
    const wrapped = await keys.wrap(name, secret, context);
    const kept = await keys.wrap(left, secret, context);
    const first = await keys.destroy(name);
    expect(await keys.destroy(name)).toEqual(first);
    await expect(keys.unwrap(name, wrapped, context)).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    await expect(keys.wrap(name, secret, context)).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    await expect(keys.unwrap(name, wrapped, context)).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    expect(await keys.unwrap(left, kept, context)).toEqual(secret);
  });
});

describe('a file of master keys', () => {
  it('is its owner’s alone, and holds nothing of a key that was destroyed', async () => {
    const keys = new LocalMasterKeys(file);
    const name = await keys.create();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { keys: held } = JSON.parse(readFileSync(file, 'utf8')) as { keys: Record<string, string> };
    await keys.destroy(name);
    expect(readFileSync(file, 'utf8')).not.toContain(held[name]);
    expect(await keys.destroy('local-never-was')).toEqual({ state: 'destroyed' });
  });

  it.each([
    ['that others may read', '{"format":1,"keys":{}}', 0o640, /may be read by others/],
    ['of another format', '{"format":2,"keys":{}}', 0o600, /no file of master keys/],
    ['with a short key', '{"format":1,"keys":{"a":"c2hvcnQ="}}', 0o600, /no file of master keys/],
    ['that is no JSON', 'c2hvcnQ=', 0o600, /no file of master keys/],
  ])('%s is refused, and not quoted', (_what, text, mode, reason) => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, text);
    chmodSync(bad, mode);
    let message = '';
    try {
      new LocalMasterKeys(bad).check();
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(reason);
    expect(message).not.toContain('c2hvcnQ');
    rmSync(bad);
  });

  it('is refused in production, unless it is said that it is meant', () => {
    const config = (changes: object) =>
      ({
        environment: 'production',
        overrides: [],
        keys: { master: { kind: 'local', file } },
        ...changes,
      }) as never;
    expect(() => checkMaster(config({}))).toThrow(/whoever has the disk/);
    expect(() => checkMaster(config({ environment: 'demo' }))).not.toThrow();
    expect(() => checkMaster(config({ environment: 'development' }))).not.toThrow();
    expect(() => checkMaster(config({ overrides: ['local-master-key'] }))).not.toThrow();
    expect(() => checkMaster(config({ overrides: ['keys-beside-the-source'] }))).toThrow();
    expect(() => checkMaster(config({ keys: { master: { kind: 'aws-kms', region: 'r' } } }))).not.toThrow();
  });
});

describe('master keys of a server', () => {
  it('in Vault are waited for while it is sealed or away, and refused without the token', async () => {
    const name = await vaultAt().create();
    vault.sealed = true;
    await expect(vaultAt().create()).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' });
    await expect(vaultAt().unwrap(name, Buffer.from('vault:v1:'), context)).rejects.toMatchObject({
      code: 'KEY_STORE_UNAVAILABLE',
    });
    vault.sealed = false;
    const away = vaultAt({ url: 'http://127.0.0.1:9' });
    await expect(away.create()).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' });
    const stranger = vaultAt({ token: 'another' });
    await expect(stranger.create()).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  });

  it('in KMS are waited for while it is away, refused without rights, and pending until AWS deletes them', async () => {
    const keys = kmsAt();
    const name = await keys.create();
    const before = Date.now();
    const destruction = await keys.destroy(name);
    expect(destruction).toMatchObject({ state: 'pending' });
    const until = (destruction as { until: Date }).until.getTime();
    expect(until - before).toBeGreaterThan(6.9 * 86_400_000);
    kms.passTime();
    expect(await keys.destroy(name)).toEqual({ state: 'destroyed' });
    await expect(kmsAt({ accessKeyId: 'ANOTHER' }).create()).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    kms.isAway = true;
    await expect(kmsAt().create()).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' });
    kms.isAway = false;
  });
});
