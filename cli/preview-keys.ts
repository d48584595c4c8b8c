import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { openKeyStore } from '../keys/open-key-store.ts';
import { keyStoreResources } from '../keys/resources.ts';
import { rootBytes, SubjectKey } from '../keys/subject-key.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { type KeyUse, subkeyBytes } from '../schemas/key-use.ts';
import { keyedUse, type Protection, ruledOf, isOwn, sharedUsesOf } from '../transforms/protection.ts';

/** Keys of a preview. */
export interface PreviewKeys {
  readonly protection: Protection;
  /** What is to be said of its pseudonyms. */
  readonly note?: string;
  close(): Promise<void>;
}

const throwAway = 'pseudonyms are made with keys of this preview alone';

/**
 * Data keys always live in memory alone, so that none is minted; keys that all rows share come from the key store where there is one.
 * Throws KEY_STORE_INVALID for a store of another master key, AUTH_FAILED where it lets nobody in.
 */
export async function previewKeys(config: Pick<Config, 'keys'>, dataset: Dataset): Promise<PreviewKeys> {
  const dataKeys = ownDataKeys();
  const isPersonal = ruledOf(dataset).some(
    (each) => keyedUse(each) && isOwn(dataset.subject !== undefined, each),
  );
  const personal = isPersonal ? { note: `of persons' own keys: ${throwAway}` } : {};
  if (sharedUsesOf(dataset).length === 0) {
    return { protection: { dataKeys, sharedKey: ownSharedKeys() }, ...personal, close: async () => {} };
  }
  const missing = await whatIsMissing(config);
  if (missing !== undefined) {
    const note = `${throwAway}: ${missing}`;
    return { protection: { dataKeys, sharedKey: ownSharedKeys() }, note, close: async () => {} };
  }
  const store = openKeyStore(config);
  return {
    protection: { dataKeys, sharedKey: (use) => store.sharedKey(use) },
    ...personal,
    close: () => store.close(),
  };
}

/** Why the key store gives no shared keys; undefined if it does. Looks, and changes nothing. */
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
  const keys = new Map<string, SubjectKey>();
  return async ({ type }, ids) =>
    ids.map((id) =>
      remembered(
        keys,
        `${type}\n${id}`,
        () => new SubjectKey(randomBytes(16), 1, randomBytes(2 * rootBytes)),
      ),
    );
}

function ownSharedKeys(): Protection['sharedKey'] {
  const keys = new Map<KeyUse, KeyObject>();
  return async (use) => remembered(keys, use, () => createSecretKey(randomBytes(subkeyBytes[use.purpose])));
}

function remembered<K, V>(known: Map<K, V>, name: K, make: () => V): V {
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}
