import { createHmac } from 'node:crypto';
import type { LookupCipher } from '../pipeline/lookup.ts';
import { LetheError } from '../schemas/errors.ts';
import { keyUse } from '../schemas/key-use.ts';
import { associatedData, decrypt, describeCiphertext, encrypt } from './ciphertext.ts';
import type { KeyStore } from './key-store.ts';
import type { EncryptionReserve } from './reserve-encryptions.ts';
import { TableKey } from './table-key.ts';

/** Whose keys looked-up facts and rows in waiting are encrypted under: one for each table. */
export const lookupSubjectType = 'lethe-lookup';
const use = keyUse('encrypt', 'lookups', 'payload');

/**
 * Hides lookups by keys of the key store: digests are HMAC-SHA-256 under a key of the table (`lookup/<table>`), sealed
 * bytes a ciphertext under its data key, bound to the topic; as many under each generation as `reserve` says.
 */
export function createLookupCipher(
  keys: Pick<KeyStore, 'dataKeys' | 'keyById' | 'sharedKey'>,
  reserve: EncryptionReserve,
): LookupCipher {
  const secrets = new Map<string, Buffer>();
  const tableKeys = new Map<string, TableKey>();
  const keyOf = (table: string): TableKey => {
    const key = tableKeys.get(table);
    if (!key) throw new Error(`the key of ${table} is not loaded`);
    return key;
  };
  return {
    async load(tables) {
      const found = await keys.dataKeys({ type: lookupSubjectType }, tables);
      for (const [i, table] of tables.entries()) {
        const key = found[i];
        if (!key) throw new LetheError('KEY_STORE_INVALID', `the lookups of ${table} have no key`);
        const own = tableKeys.get(table) ?? new TableKey({ keys, reserve });
        // Before it is ready: those who load at once share what is reserved.
        tableKeys.set(table, own);
        await own.load(key);
        if (!secrets.has(table)) {
          secrets.set(table, await keys.sharedKey(keyUse('pseudonym', 'lookup', table)));
        }
      }
    },
    digest(table, key) {
      const secret = secrets.get(table);
      if (!secret) throw new Error(`the secret of ${table} is not loaded`);
      return createHmac('sha256', secret).update(key).digest('base64url');
    },
    seal: (table, topic, payload) =>
      encrypt(keyOf(table).take(), use, associatedData(topic, 'payload'), payload),
    open(table, topic, sealed) {
      const named = describeCiphertext(sealed);
      const key = named && keyOf(table).named(named.keyId, named.generation);
      const opened = key && decrypt(key, use, associatedData(topic, 'payload'), sealed);
      if (!opened) {
        throw new LetheError('KEY_STORE_INVALID', `a record of ${topic} is not under the key of ${table}`, {
          fix: 'Use the key store it was made with.',
        });
      }
      return opened;
    },
  };
}
