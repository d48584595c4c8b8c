import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkAnchor } from '../../keys/audit/anchor.ts';
import { EpochRing } from '../../keys/epoch-ring.ts';
import { checkMaster } from '../../keys/master/check-master.ts';
import { KmsMasterKeys } from '../../keys/master/kms-master.ts';
import { openRecord } from '../../keys/ledger/ledger-record.ts';
import { LocalMasterKeys } from '../../keys/master/local-master.ts';
import type { MasterKeys } from '../../keys/master/master-key.ts';
import { VaultMasterKeys } from '../../keys/master/vault-master.ts';
import { lackingSecrets } from '../../keys/store-secrets.ts';
import { epochOfWrapped, unwrapKey, wrapKey } from '../../keys/wrapped-key.ts';
import { KmsDouble } from './kms-double.ts';
import { VaultDouble } from './vault-double.ts';

/** What fails with master keys, epochs and what is wrapped under them; `folder` may be written in. */
export function masterKeyFailures(canary: string, folder: string): readonly (() => unknown)[] {
  const secret = Buffer.from(canary);
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return new LocalMasterKeys(path);
  };
  const key = randomBytes(32).toString('base64');
  const local = () => file('keys.json', JSON.stringify({ format: 1, keys: { one: key } }));
  const vault = (use: (keys: MasterKeys, double: VaultDouble) => Promise<unknown>) => async () => {
    const double = await VaultDouble.start();
    const { url, token } = double;
    try {
      await use(new VaultMasterKeys({ kind: 'vault', url, token, mount: 'transit' }), double);
    } finally {
      await double.stop();
    }
  };
  const kms = (use: (keys: MasterKeys, double: KmsDouble) => Promise<unknown>, id?: string) => async () => {
    const double = await KmsDouble.start();
    const keys = new KmsMasterKeys({
      kind: 'aws-kms',
      region: 'eu-central-1',
      endpoint: double.url,
      accessKeyId: id ?? double.accessKeyId,
      secretAccessKey: canary,
    });
    try {
      await use(keys, double);
    } finally {
      await double.stop();
    }
  };
  const ring = (rows: object[]) => new EpochRing((async () => ({ rows })) as never, local());
  return [
    () => local().unwrap('one', secret, secret),
    () => local().wrap('another', secret, secret),
    () => file('bad.json', JSON.stringify({ format: 1, keys: { one: canary } })).check(),
    () => {
      const config = {
        environment: 'production',
        overrides: [],
        keys: { master: { kind: 'local', file: canary } },
      };
      checkMaster(config as never);
    },
    vault((keys) => keys.wrap('another', secret, secret)),
    vault((keys, double) => {
      double.sealed = true;
      return keys.create();
    }),
    () =>
      new VaultMasterKeys({ kind: 'vault', url: 'http://127.0.0.1:9', token: canary, mount: 't' }).create(),
    kms((keys) => keys.unwrap('another', secret, secret)),
    kms((keys) => keys.create(), 'ANOTHER'),
    kms(async (keys, double) => {
      double.isAway = true;
      await keys.create();
    }),
    kms(async (keys, double) => {
      double.saysNothing = true;
      await keys.create();
    }),
    () => epochOfWrapped(secret),
    () => unwrapKey(randomBytes(32), wrapKey(1, randomBytes(32), 'name', 1, secret), 'name', 1),
    () => checkAnchor({} as never, canary, secret),
    () => openRecord({ key: canary, value: secret }, { store: canary, key: secret }, 'ledger, offset 1'),
    () => ring([]).keyOf(1),
    () => lackingSecrets({ query: async () => ({ rows: [{ open: true, names: [canary] }] }) } as never),
    () => ring([{ store: 's', epoch: 1, master_kind: 'vault', master_name: canary, wrapped: secret }]).look(),
  ];
}
