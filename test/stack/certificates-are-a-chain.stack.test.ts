import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateBody } from '../../erasure/certificate.ts';
import { type CertificateDocument, signCertificate } from '../../erasure/certificate-document.ts';
import {
  certificateHead,
  certificateStatements,
  checkCertificates,
  issueCertificate,
  listCertificates,
  readCertificate,
} from '../../erasure/certificate-store.ts';
import { type PinnedKey, pinnedKey, verifyCertificates } from '../../erasure/verify-certificate.ts';
import { lastEntries } from '../../keys/audit/read-audit.ts';
import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import { keyStoreResources } from '../../keys/resources.ts';
import { withSigningKey } from '../../keys/signing-key.ts';
import { turnEpoch } from '../../keys/turn-epoch.ts';
import { configOf } from '../support/contract-fixture.ts';
import { certificateBody, testSigningKey } from '../support/certificate-fixture.ts';
import { acquireStack, freshDatabase, type TestDatabase } from '../support/stack.ts';

describe('certificates in the key store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-certificates-'));
  let database: TestDatabase;
  let client: Client;
  let config: ReturnType<typeof configOf>;
  let pinned: PinnedKey;

  beforeAll(async () => {
    database = await freshDatabase((await acquireStack()).endpoints, 'lethe_certificates');
    const master = { kind: 'local', file: join(folder, 'master.json') } as const;
    config = configOf({ keys: { url: database.url, master } });
    await apply();
    client = new Client({ connectionString: database.url });
    await client.connect();
    for (const statement of [...certificateStatements, ...certificateStatements])
      await client.query(statement);
    pinned = pinnedKey(await publicKey());
  });
  afterAll(async () => {
    await client?.end();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const diff = () => keyStoreResources(config)[0]!.diff();
  async function apply(): Promise<void> {
    await keyStoreResources(config)[0]!.apply([]);
  }
  const publicKey = () => withSigningKey(config, (key) => key.publicKey);
  const issue = (body: Partial<CertificateBody>) =>
    withSigningKey(config, (key) =>
      withKeyStore(config, (own) =>
        inTransaction(own, () => issueCertificate(own, key, certificateBody(body))),
      ),
    );
  const check = () => checkCertificates(client, pinned);

  it('are signed with one key, which epochs that are turned and another apply leave as it is', async () => {
    const first = await publicKey();
    await turnEpoch(config);
    await apply();
    expect(await publicKey()).toBe(first);
    const entries = await lastEntries(client, 10);
    expect(entries[0]).toMatchObject({ action: 'store-made', details: { signing: pinned.fingerprint } });
  });

  it('are none at first', async () => {
    expect(await check()).toEqual({ certificates: 0 });
    expect(await certificateHead(client)).toBeUndefined();
    expect(await readCertificate(client, 'er-1')).toBeUndefined();
  });

  it('are a chain, whoever issues at the same time, and one for each request', async () => {
    const requests = Array.from({ length: 12 }, (_, i) => `er-${i % 8}`);
    const issued = await Promise.all(requests.map((request) => issue({ request })));
    expect(new Set(issued.map(({ number }) => number))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
    expect(issued.slice(8)).toEqual(issued.slice(0, 4));
    expect(await readCertificate(client, 'er-3')).toEqual(issued[3]);
    const all = await listCertificates(client, 100);
    expect(all.map(({ number }) => number)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    const verdicts = verifyCertificates(
      all.map(({ document }) => document),
      pinned,
    );
    expect(verdicts.every(({ ok }) => ok)).toBe(true);
    const { number, hash } = all[0]!;
    expect(await certificateHead(client)).toEqual({ number, hash });
    expect(await check()).toEqual({ certificates: 8, head: { number, hash } });
  });

  it('leave no gap where the transaction is rolled back, and none is issued that says what cannot be', async () => {
    const cut = withSigningKey(config, (key) =>
      withKeyStore(config, (own) =>
        inTransaction(own, async () => {
          await issueCertificate(own, key, certificateBody({ request: 'er-cut' }));
          throw new Error('cut short');
        }),
      ),
    );
    await expect(cut).rejects.toThrow();
    await expect(issue({ request: 'er-bad', commitment: 'x' })).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
      message: 'no certificate has this form at commitment',
    });
    expect(await issue({ request: 'er-8' })).toMatchObject({ number: 9 });
  });

  it('cannot be changed by a slip of the hand, and show it where somebody meant to', async () => {
    const whole = await check();
    for (const statement of [
      'delete from lethe_erasure.certificates',
      `update lethe_erasure.certificates set request = 'er-x'`,
      'truncate lethe_erasure.certificates',
    ]) {
      await expect(client.query(statement)).rejects.toThrow('append-only');
    }
    const { document } = (await readCertificate(client, 'er-8'))!;
    const { certificate } = JSON.parse(document) as CertificateDocument;
    const forged = JSON.stringify(signCertificate(certificate, testSigningKey('another')));
    await client.query('alter table lethe_erasure.certificates disable trigger user');
    const set = (what: string, number: number) =>
      `update lethe_erasure.certificates set ${what} where number = ${number}`;
    const tamperings: readonly (readonly [string, object])[] = [
      [set(`document = replace(document, '"asked":58', '"asked":59')`, 4), { number: 4, fault: 'signature' }],
      [set(`document = replace(document, ',', ', ')`, 4), { number: 4, fault: 'shape' }],
      [set(`request = 'er-none'`, 4), { number: 4, fault: 'chain' }],
      [set(`hash = sha256('x')`, 4), { number: 4, fault: 'chain' }],
      [set(`document = '${forged}'`, 9), { number: 9, fault: 'key' }],
      ['delete from lethe_erasure.certificates where number = 4', { number: 5, fault: 'chain' }],
      [set('number = 10', 9), { number: 10, fault: 'chain' }],
      [
        `insert into lethe_erasure.certificates select 10, 'er-again', final, document, hash from lethe_erasure.certificates where number = 9`,
        { number: 10, fault: 'chain' },
      ],
    ];
    for (const [statement, broken] of tamperings) {
      await client.query('begin');
      await client.query(statement);
      expect(await check(), statement).toMatchObject({ broken });
      await client.query('rollback');
    }
    await client.query('begin');
    await client.query('delete from lethe_erasure.certificates where number = 9');
    expect(await check()).toMatchObject({ certificates: 8 });
    expect(await checkCertificates(client, pinned, whole.head)).toMatchObject({
      certificates: 8,
      broken: { number: 9, fault: 'chain', why: 'it was cut off: certificate 9 is noted' },
    });
    await client.query('rollback');
    expect(await checkCertificates(client, pinned, { number: 9, hash: 'ab' })).toMatchObject({
      broken: { number: 9, fault: 'chain', why: 'it is not the one that is noted' },
    });
    await client.query('alter table lethe_erasure.certificates enable trigger user');
    expect(await checkCertificates(client, pinned, whole.head)).toEqual(whole);
  });

  it('can be signed by a key store of an earlier version after another apply; one that lost a secret is refused', async () => {
    await client.query(`delete from lethe_keys.secrets where name = 'signing'`);
    await expect(publicKey()).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    expect(await diff()).toMatchObject([{ action: 'create', summary: expect.stringContaining('signing') }]);
    await apply();
    expect(await diff()).toEqual([]);
    const made = pinnedKey(await publicKey());
    expect(made.fingerprint).not.toBe(pinned.fingerprint);
    const [last] = await lastEntries(client, 1);
    expect(last).toMatchObject({ action: 'signing-key-made', details: { fingerprint: made.fingerprint } });
    expect(await checkCertificates(client, made)).toMatchObject({ broken: { number: 1, fault: 'key' } });
    await client.query(`delete from lethe_keys.secrets where name = 'index'`);
    await expect(diff()).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    await expect(apply()).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
  });
});
