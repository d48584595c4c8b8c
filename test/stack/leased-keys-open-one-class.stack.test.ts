import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessCommand } from '../../cli/access.ts';
import { anchorKeys, requireAnchored } from '../../cli/anchored-keys.ts';
import { glassCommand } from '../../cli/glass.ts';
import { avroText, Decryptor } from '../../client/decrypt.ts';
import { type HttpServer, serveHttp } from '../../console/http-server.ts';
import { Door } from '../../console/door.ts';
import { leaseEndpoints } from '../../console/lease-endpoint.ts';
import type { ReasonedGlass } from '../../keys/access/glass-store.ts';
import { associatedData, encrypt } from '../../keys/ciphertext.ts';
import { destroyKey } from '../../keys/destroy-key.ts';
import { EpochRing } from '../../keys/epoch-ring.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { openMaster } from '../../keys/master/open-master.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { epochOfWrapped, unwrapKey } from '../../keys/wrapped-key.ts';
import type { Config } from '../../schemas/config.ts';
import { keyUse } from '../../schemas/key-use.ts';
import { avroType } from '../../schemas/registry.ts';
import { GuardedProject } from '../support/guarded-project.ts';

const kind = { type: 'customer' };
const phone = { table: 'public.people', column: 'phone', classification: 'person.contact' };
const card = { table: 'public.people', column: 'card', classification: 'payment.card' };
const canary = 'zq7_reason_canary';
const anchorOf = (config: Config) => ({
  check: () => requireAnchored(config),
  note: () => anchorKeys(config),
});

/**
 * Invariant: a consumer opens what he was granted and nothing else; a person who was erased is erased to him; no root leaves the key store.
 */
describe('a consumer', { timeout: 300_000 }, () => {
  let guarded: GuardedProject;
  let store: PostgresKeyStore;
  let server: HttpServer;
  const values = new Map<string, Buffer>();
  const valueOf = async (id: string, { table, column, classification }: typeof phone, text: string) => {
    const [key] = await store.dataKeys(kind, [id]);
    const use = keyUse('encrypt', table, classification);
    return encrypt(key!, use, associatedData(table, column), avroType('string').toBuffer(text));
  };
  const reader = (token = guarded.tokens.get('reader')!) => new Decryptor({ url: server.url, token });
  const opened = async (place: typeof phone, name: string, own = reader()) => {
    const [one] = await own.open(place, [values.get(name)!]);
    return one?.state === 'value' ? avroText(one.avro) : one?.state;
  };
  const lease = async (body: object, token = guarded.tokens.get('reader')!) => {
    const response = await fetch(`${server.url}/v1/keys/lease`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { subkeys?: (string | null)[] } };
  };
  const named = (name: string) => ({
    keyId: values.get(name)!.toString('hex', 1, 17),
    generation: values.get(name)!.readUInt32BE(17),
  });
  let grant = '';

  beforeAll(async () => {
    guarded = await GuardedProject.create();
    store = openKeyStore(guarded.config);
    server = await serveHttp(
      { host: '127.0.0.1', port: 0 },
      {},
      leaseEndpoints(guarded.config, store, new Door(guarded.config, anchorOf(guarded.config))),
    );
    await guarded.addLead();
    await guarded.add('reader', 'consumer');
    await guarded.add('eng1', 'engineer');
    await guarded.add('aud', 'auditor');
    for (const id of ['1', '2']) {
      values.set(`phone ${id}`, await valueOf(id, phone, `+49 ${id}`));
      values.set(`card ${id}`, await valueOf(id, card, `4111 ${id}`));
    }
  });

  afterAll(async () => {
    await server?.close();
    await store?.close();
    await guarded?.drop();
  });

  it('opens nothing without a grant, and what it covers with one', async () => {
    expect(await opened(phone, 'phone 1')).toBe('sealed');
    expect((await guarded.entries('access-refused')).at(-1)).toMatchObject({
      principal: 'reader',
      details: { why: 'grant', table: phone.table, classification: phone.classification },
    });
    const to = ['--table', phone.table, '--classification', phone.classification, '--why', canary];
    grant = (await guarded.done<{ grant: string }>(accessCommand(), 'lead', 'grant', 'reader', ...to)).grant;
    expect(await opened(phone, 'phone 1')).toBe('+49 1');
    expect((await guarded.entries('keys-leased')).at(-1)).toMatchObject({
      principal: 'reader',
      details: { table: phone.table, classification: phone.classification, asked: 1, erased: 0 },
    });
    for (const who of ['lead', 'eng1', 'aud']) {
      const result = await guarded.run(accessCommand(), 'lead', 'grant', who, ...to);
      expect(result.code, who).toBe(1);
    }
  });

  it('opens no other class: neither by asking, nor with the subkey that it has', async () => {
    expect(await opened(card, 'card 1')).toBe('sealed');
    const disguised = { ...card, classification: phone.classification };
    expect(await opened(disguised, 'card 1')).toBe('sealed');
    expect(
      await lease({ ...phone, column: undefined, classification: '*', keys: [named('card 1')] }),
    ).toMatchObject({
      status: 400,
    });
  });

  it('never gets a root, nor what dead letters and lookups are sealed under', async () => {
    const { table, classification } = phone;
    const given = await lease({ table, classification, keys: [named('phone 1'), named('phone 2')] });
    expect(given.status).toBe(200);
    const subkeys = given.body.subkeys!.map((text) => Buffer.from(text!, 'base64'));
    const everything = Buffer.concat([Buffer.from(JSON.stringify(given.body)), ...subkeys]);
    const roots = await withKeyStore(guarded.config, async (client) => {
      const ring = new EpochRing(
        (text, parts) => client.query(text, parts),
        openMaster(guarded.config.keys.master),
      );
      await ring.look();
      const { rows } = await client.query<{ key_id: string; generation: number; wrapped: Buffer }>(
        'select key_id, generation, wrapped from lethe_keys.data_keys where wrapped is not null',
      );
      return rows.map(({ key_id, generation, wrapped }) =>
        unwrapKey(ring.keyOf(epochOfWrapped(wrapped)), wrapped, key_id, generation),
      );
    });
    expect(roots.length).toBeGreaterThan(1);
    for (const root of roots) {
      for (const part of [root.subarray(0, 32), root.subarray(32)]) {
        expect(everything.includes(part)).toBe(false);
        expect(everything.includes(part.toString('base64'))).toBe(false);
      }
    }
    await guarded.done(
      accessCommand(),
      'lead',
      'grant',
      'reader',
      '--table',
      '*',
      '--classification',
      'payload',
      '--why',
      'all',
    );
    for (const reserved of ['dead-letters', 'lookups']) {
      const asked = { table: reserved, classification: 'payload', keys: [named('phone 1')] };
      expect(await lease(asked)).toMatchObject({ status: 400 });
    }
  });

  it('is let in by the identity provider’s token, until he is kept out', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = join(guarded.project.folder, 'jwks.json');
    writeFileSync(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }));
    const access = {
      issuer: 'https://id.example',
      audience: 'lethe',
      jwks: 'jwks.json',
      roleClaim: 'role',
    };
    const withAccess = await guarded.configure({ access });
    const text = await new SignJWT({ role: 'consumer' })
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject('u-1')
      .setIssuer(access.issuer)
      .setAudience(access.audience)
      .setExpirationTime('5m')
      .sign(privateKey);
    const own = await serveHttp(
      { host: '127.0.0.1', port: 0 },
      {},
      leaseEndpoints(withAccess, store, new Door(withAccess, anchorOf(withAccess))),
    );
    try {
      const theirs = () => new Decryptor({ url: own.url, token: text });
      expect(await opened(phone, 'phone 1', theirs())).toBe('sealed');
      const to = ['--table', phone.table, '--classification', phone.classification, '--why', 'x'];
      await guarded.done(accessCommand(), 'lead', 'grant', 'oidc:u-1', ...to);
      expect(await opened(phone, 'phone 1', theirs())).toBe('+49 1');
      expect((await guarded.entries('keys-leased')).at(-1)).toMatchObject({ principal: 'oidc:u-1' });
      await guarded.done(accessCommand(), 'lead', 'revoke', 'oidc:u-1');
      expect(await opened(phone, 'phone 1', theirs())).toBe('sealed');
      expect((await guarded.entries('access-refused')).at(-1)).toMatchObject({
        principal: 'oidc:u-1',
        details: { why: 'disabled' },
      });
    } finally {
      await own.close();
    }
  });

  it('decrypts without a grant while two others let him', async () => {
    const use = ['--for', 'decrypt', '--table', card.table, '--classification', card.classification];
    const { id } = await guarded.done<ReasonedGlass>(
      glassCommand(),
      'reader',
      'ask',
      ...use,
      '--reason',
      canary,
    );
    expect(await opened(card, 'card 1')).toBe('sealed');
    for (const who of ['eng1', 'lead']) await guarded.done(glassCommand(), who, 'approve', id);
    expect(await opened(card, 'card 1')).toBe('4111 1');
    expect((await guarded.entries('glass-used')).at(-1)).toMatchObject({
      principal: 'reader',
      details: { glass: id },
    });
    await guarded.done(glassCommand(), 'reader', 'close', id);
    expect(await opened(card, 'card 1')).toBe('sealed');
  });

  it('sees a person who was erased as erased, and nobody else', async () => {
    await destroyKey(guarded.config, kind, '1');
    expect(await opened(phone, 'phone 1')).toBe('erased');
    expect(await opened(phone, 'phone 2')).toBe('+49 2');
    expect((await guarded.entries('keys-leased')).at(-2)).toMatchObject({ details: { asked: 1, erased: 1 } });
  });

  it('sees sealed values while the key store is away, and when the grant was taken back', async () => {
    const away = {
      ...guarded.config,
      keys: { ...guarded.config.keys, url: 'postgres://lethe@127.0.0.1:9/none' },
    };
    const nowhere = openKeyStore(away);
    const own = await serveHttp(
      { host: '127.0.0.1', port: 0 },
      {},
      leaseEndpoints(away, nowhere, new Door(away, anchorOf(away))),
    );
    const token = guarded.tokens.get('reader')!;
    expect(await opened(phone, 'phone 2', new Decryptor({ url: own.url, token }))).toBe('sealed');
    await own.close();
    await nowhere.close();
    expect(await opened(phone, 'phone 2')).toBe('+49 2');
    await guarded.done(accessCommand(), 'lead', 'revoke', 'reader', '--grant', grant);
    expect(await opened(phone, 'phone 2')).toBe('sealed');
    expect((await lease({}, 'nonsense')).status).toBe(401);
  });
});
