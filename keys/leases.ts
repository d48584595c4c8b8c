import type { Config } from '../schemas/config.ts';
import { keyUse } from '../schemas/key-use.ts';
import { refused, senseless } from './access/access-error.ts';
import { usableGlass } from './access/glass-store.ts';
import { hasGrant } from './access/grants.ts';
import { may } from './access/permissions.ts';
import type { Principal } from './access/principal.ts';
import { appendAudit } from './audit/audit-log.ts';
import { inTransaction, withKeyStore } from './key-store-client.ts';
import type { KeyStore } from './key-store.ts';

/** How long whoever was leased a subkey may use it before he asks again: no longer does he read a person who was erased. */
export const subkeyLeaseMs = 60_000;
/** How many keys are leased at once. */
export const mostLeased = 500;

/** A key as a ciphertext names it. */
export interface NamedKey {
  /** 16 bytes. */
  readonly keyId: Buffer;
  readonly generation: number;
}

export interface LeasePlace {
  readonly config: Pick<Config, 'keys'>;
  readonly store: Pick<KeyStore, 'keyById'>;
}

/** Tables alone: what else is sealed under subkeys of its own, such as dead letters, is leased to nobody. */
const table = /^\w+\.\w+$/;
const word = /^[A-Za-z0-9][\w.-]{0,99}$/;

/**
 * Subkeys for the encrypted values of one table under one classification, in the order of the keys; null for a key that was destroyed or
 * never was. They open nothing else, and lead to no root. It takes the right to decrypt and a grant; or an open glass. The audit says how
 * many were handed out, before they are. ACCESS_REFUSED else.
 */
export async function leaseSubkeys(
  { config, store }: LeasePlace,
  principal: Principal,
  wanted: { readonly table: string; readonly classification: string; readonly keys: readonly NamedKey[] },
): Promise<(Buffer | null)[]> {
  const { classification, keys } = wanted;
  if (!table.test(wanted.table) || !word.test(classification)) {
    throw senseless('a lease is for one table and one classification', 'Name them as the contract does.');
  }
  if (keys.length > mostLeased) {
    throw senseless(`at most ${mostLeased} keys are leased at once`, 'Ask for the rest in another request.');
  }
  const glass = await rightTo(config, principal, wanted);
  const use = keyUse('encrypt', wanted.table, classification);
  const subkeys: (Buffer | null)[] = [];
  for (const { keyId, generation } of keys) {
    subkeys.push((await store.keyById(keyId, generation))?.subkey(use) ?? null);
  }
  const erased = subkeys.filter((subkey) => subkey === null).length;
  await withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      if (glass !== undefined) await appendAudit(client, 'glass-used', { glass }, principal.name);
      const details = { table: wanted.table, classification, asked: keys.length, erased };
      await appendAudit(client, 'keys-leased', details, principal.name);
    }),
  );
  return subkeys;
}

/** The id of the glass, where it is by one; ACCESS_REFUSED where there is no right. */
async function rightTo(
  config: Pick<Config, 'keys'>,
  { name, role }: Principal,
  { table: of, classification }: { readonly table: string; readonly classification: string },
): Promise<string | undefined> {
  return withKeyStore(config, async (client) => {
    if (may(role, 'decrypt') && (await hasGrant(client, name, of, classification))) return undefined;
    const glass = await usableGlass(client, name, { kind: 'decrypt', table: of, classification });
    if (!glass) throw refused('grant', name, { table: of, classification });
    return glass.id;
  });
}
