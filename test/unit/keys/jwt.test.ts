import { createHmac, createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyJwt } from '../../../keys/access/jwt.ts';

const issuer = 'https://id.example';
const audience = 'lethe';
const folder = mkdtempSync(join(tmpdir(), 'lethe-jwt-'));
const file = join(folder, 'jwks.json');

/** The identity provider's key set, in a file and at an address. */
describe('a JWT', () => {
  let own: CryptoKey;
  let foreign: CryptoKey;
  let pem: string;
  let server: Server;
  let url: string;
  const now = Math.floor(Date.now() / 1000);
  const good = { sub: 'u-17', role: 'auditor', iss: issuer, aud: audience, exp: now + 300 };

  beforeAll(async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    own = pair.privateKey;
    foreign = (await generateKeyPair('RS256')).privateKey;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', use: 'sig' };
    pem = createPublicKey({ key: jwk as never, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    }) as string;
    const set = JSON.stringify({ keys: [jwk] });
    writeFileSync(file, set);
    server = createServer((_, response) => response.end(set));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  const signed = (claims: object, key = own, header: object = {}) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const access = (more: object = {}) => ({ issuer, audience, jwks: file, roleClaim: 'role', ...more });
  const outcome = (text: string, more: object = {}) =>
    verifyJwt(access(more), text).catch((error: { code: string; detail: object }) => ({
      code: error.code,
      ...error.detail,
    }));

  it('is taken by a key set in a file, and by one at an address', async () => {
    const text = await signed(good);
    const who = { name: 'oidc:u-17', role: 'auditor' };
    expect(await outcome(text)).toEqual(who);
    expect(await outcome(text, { jwks: url })).toEqual(who);
  });

  it.each([
    ['of a list', { role: undefined, roles: ['staff', 'engineer'] }, 'roles', 'engineer'],
    ['down a path', { role: undefined, realm: { access: ['consumer'] } }, 'realm.access', 'consumer'],
    [
      'whose name has dots',
      { 'https://x.example/role': 'compliance' },
      'https://x.example/role',
      'compliance',
    ],
  ])('has its role in the claim that is named, also one %s', async (_, claims, roleClaim, role) => {
    expect(await outcome(await signed({ ...good, ...claims }), { roleClaim })).toMatchObject({ role });
  });

  it.each([
    ['role', { role: undefined }],
    ['role', { role: 'root' }],
    ['role', { role: 'constructor' }],
    ['role', { role: ['auditor', 'engineer'] }],
    ['claims', { iss: 'https://other.example' }],
    ['claims', { aud: 'another' }],
    ['claims', { sub: undefined }],
    ['claims', { sub: 'a b\n' }],
    ['claims', { exp: undefined }],
    ['expired', { exp: now - 60 }],
    ['claims', { nbf: now + 600 }],
  ])('is refused for its %s: %j', async (why, claims) => {
    expect(await outcome(await signed({ ...good, ...claims }))).toMatchObject({
      code: 'ACCESS_REFUSED',
      why,
    });
  });

  it('is refused when another key signed it', async () => {
    expect(await outcome(await signed(good, foreign))).toMatchObject({
      code: 'ACCESS_REFUSED',
      why: 'signature',
    });
    expect(await outcome(await signed(good, foreign, { kid: 'two' }))).toMatchObject({ why: 'signature' });
  });

  it('is refused without a signature, and with an HMAC under the public key', async () => {
    const unsigned = `${encoded({ alg: 'none' })}.${encoded(good)}.`;
    expect(await outcome(unsigned)).toMatchObject({ code: 'ACCESS_REFUSED' });
    const head = `${encoded({ alg: 'HS256', kid: 'one' })}.${encoded(good)}`;
    const forged = `${head}.${createHmac('sha256', pem).update(head).digest('base64url')}`;
    expect(await outcome(forged)).toMatchObject({ code: 'ACCESS_REFUSED', why: 'signature' });
  });

  it('is refused when a claim was changed, or it was cut', async () => {
    const [head, , tail] = (await signed(good)).split('.');
    const forged = `${head}.${encoded({ ...good, role: 'compliance' })}.${tail}`;
    expect(await outcome(forged)).toMatchObject({ code: 'ACCESS_REFUSED', why: 'signature' });
    expect(await outcome(`${head}.${encoded(good)}.${tail!.slice(0, -8)}`)).toMatchObject({
      code: 'ACCESS_REFUSED',
    });
  });

  it('lets nobody in where the key set cannot be read', async () => {
    const text = await signed(good);
    expect(await outcome(text, { jwks: join(folder, 'none.json') })).toEqual({ code: 'CONFIG_INVALID' });
    writeFileSync(join(folder, 'bad.json'), '{"keys": 1}');
    expect(await outcome(text, { jwks: join(folder, 'bad.json') })).toEqual({ code: 'CONFIG_INVALID' });
    expect(await outcome(text, { jwks: 'http://127.0.0.1:9/jwks' })).toEqual({ code: 'UNREACHABLE' });
  });
});
