import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { MasterKeys } from '../../keys/master/master-key.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { keyStoreResources } from '../../keys/resources.ts';
import { encryptionReserve } from '../../keys/reserve-encryptions.ts';
import { rotateKey } from '../../keys/rotate-key.ts';
import { keyStoreStatements, sharedSecret } from '../../keys/schema.ts';
import { wrapKey } from '../../keys/wrapped-key.ts';
import type { Config } from '../../schemas/config.ts';
import { keyUse } from '../../schemas/key-use.ts';

type Keys = Config['keys'];

/** Meets each refusal of a key store; `url` and `older` are empty databases. Gives the codes in their order. */
export async function keyStoreRefusals(
  keys: Keys,
  { url, older, closed }: { url: string; older: string; closed: string },
  canary: string,
): Promise<unknown[]> {
  const { master } = keys;
  const at = (place: string): { keys: Keys } => ({ keys: { url: place, master } });
  const seen = async (place: string) => {
    const store = openKeyStore(at(place));
    const code = await codeOf(store.dataKeys({ type: 'customer' }, [canary]));
    await store.close();
    return code;
  };
  const codes = [await seen(closed), await seen(url), await seen(url.replace(/:[^:@]*@/, `:${canary}@`))];
  await execute(url, keyStoreStatements);
  const empty = openKeyStore(at(url));
  codes.push(await codeOf(empty.sharedKey(keyUse('pseudonym', canary))));
  await empty.close();
  await execute(older, ['create schema lethe_keys', 'create table lethe_keys.master_keys (version int)']);
  const diff = (config: { keys: Keys }) => codeOf(keyStoreResources(config)[0]!.diff());
  codes.push(await diff(at(older)));
  codes.push(await diff({ keys: { ...keys, master: { kind: 'local', file: '/nowhere/master.json' } } }));
  codes.push(await codeOf(neverMinting().dataKeys({ type: 'customer' }, [canary])));
  codes.push(await codeOf(rotateKey({ keys }, { type: 'customer' }, canary)));
  codes.push(await codeOf(encryptionReserve({ keys }).reserve(randomUUID())));
  return codes;
}

/** A key store whose epoch is closed whenever it is about to make a key. */
function neverMinting(): PostgresKeyStore {
  const key = Buffer.alloc(32);
  const epoch = { store: 's', epoch: 1, master_kind: 'local', master_name: 'm', wrapped: key, state: 'open' };
  const pool = {
    query: async (text: string, [name = sharedSecret]: string[] = []) => {
      if (text.includes('as gone')) return { rows: [{ now: 'now', gone: [], suppressed: [] }] };
      if (text.includes('lethe_keys.epochs e')) return { rows: [epoch] };
      if (!text.startsWith('select wrapped')) return { rows: [] };
      return { rows: [{ wrapped: wrapKey(1, key, name, 0, key) }] };
    },
  };
  const master = { kind: 'local', unwrap: async () => key } as unknown as MasterKeys;
  return new PostgresKeyStore(pool as never, master);
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

async function execute(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
