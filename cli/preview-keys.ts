import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { secretBytes } from '../keys/key-store.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { keyStoreResources } from '../keys/resources.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { type DataKey, type Protection, secretsOf } from '../transforms/protection.ts';

/** Keys of a preview. */
export interface PreviewKeys {
  readonly protection: Protection;
  /** What is to be said of its pseudonyms. */
  readonly note?: string;
  close(): Promise<void>;
}

const throwAway = 'pseudonyms are made with keys of this preview alone';

/**
 * Data keys always live in memory alone, so that none is minted; keys of pseudonyms come from the key store where there is one.
 * Throws KEY_STORE_INVALID for a store of another master key, AUTH_FAILED where it lets nobody in.
 */
export async function previewKeys(config: Pick<Config, 'keys'>, dataset: Dataset): Promise<PreviewKeys> {
  const dataKeys = ownDataKeys();
  if (secretsOf(dataset).length === 0) {
    return { protection: { dataKeys, secret: ownSecrets() }, close: async () => {} };
  }
  const missing = await whatIsMissing(config);
  if (missing !== undefined) {
    const note = `${throwAway}: ${missing}`;
    return { protection: { dataKeys, secret: ownSecrets() }, note, close: async () => {} };
  }
  const store = openKeyStore(config);
  return {
    protection: { dataKeys, secret: (purpose, scope) => store.secret(purpose, scope) },
    close: () => store.close(),
  };
}

/** Why the key store gives no secrets; undefined if it does. Looks, and changes nothing. */
async function whatIsMissing(config: Pick<Config, 'keys'>): Promise<string | undefined> {
  try {
    const changes = await Promise.all(keyStoreResources(config).map((resource) => resource.diff()));
    return changes.flat().length === 0 ? undefined : 'the key store is not set up yet (lethe apply does it)';
  } catch (error) {
    if (error instanceof LetheError && error.code === 'KEY_STORE_UNAVAILABLE') {
      return 'the key store does not answer';
    }
    throw error;
  }
}

function ownDataKeys(): Protection['dataKeys'] {
  const keys = new Map<string, DataKey>();
  return async (type, ids) =>
    ids.map((id) =>
      remembered(keys, `${type}\n${id}`, () => ({
        keyId: randomBytes(16),
        generation: 1,
        key: createSecretKey(randomBytes(32)),
      })),
    );
}

function ownSecrets(): Protection['secret'] {
  const keys = new Map<string, KeyObject>();
  return async (purpose, scope) =>
    remembered(keys, `${purpose}/${scope}`, () => createSecretKey(randomBytes(secretBytes[purpose])));
}

function remembered<V>(known: Map<string, V>, name: string, make: () => V): V {
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}
