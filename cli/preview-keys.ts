import { randomBytes } from 'node:crypto';
import { openKeyStore } from '../keys/open-key-store.ts';
import { keyStoreResources } from '../keys/resources.ts';
import { rootBytes, SubjectKey } from '../keys/subject-key.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { type KeyUse, subkeyBytes } from '../schemas/key-use.ts';
import { keyedUse, type Protection, ruledOf } from '../transforms/protection.ts';

/** Keys of a preview. */
export interface PreviewKeys {
  readonly protection: Protection;
  /** What is to be said of its pseudonyms, once the rows are done. */
  note(): string | undefined;
  close(): Promise<void>;
}

const throwAway = 'pseudonyms are made with keys of this preview alone';

/**
 * Keys come from the key store where it has them. None is minted: who has no key there gets one that lives in memory alone.
 * Throws KEY_STORE_INVALID for a store of another master key, AUTH_FAILED where it lets nobody in.
 */
export async function previewKeys(config: Pick<Config, 'keys'>, dataset: Dataset): Promise<PreviewKeys> {
  const own = ownDataKeys();
  const isKeyed = ruledOf(dataset).some(keyedUse);
  const alone = (note?: string): PreviewKeys => ({
    protection: {
      dataKeys: own,
      areSuppressed: async (_kind, ids) => ids.map(() => false),
      sharedKey: ownSharedKeys(),
    },
    note: () => note,
    close: async () => {},
  });
  if (!isKeyed && !dataset.subject) return alone();
  const missing = await whatIsMissing(config);
  if (missing !== undefined) return alone(isKeyed ? `${throwAway}: ${missing}` : undefined);
  const store = openKeyStore(config);
  let strangers = 0;
  return {
    protection: {
      sharedKey: (use) => store.sharedKey(use),
      areSuppressed: (kind, ids) => store.areSuppressed(kind, ids),
      async dataKeys(kind, ids) {
        const [found, made] = [await store.findKeys(kind, ids), await own(kind, ids)];
        strangers += found.filter((key) => key === undefined).length;
        return found.map((key, i) => (key === undefined ? made[i]! : key));
      },
    },
    note: () =>
      strangers === 0 || !isKeyed ? undefined : `${throwAway} for ${strangers} who have no key yet`,
    close: () => store.close(),
  };
}

/** Why the key store gives no keys; undefined if it does. Looks, and changes nothing. */
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
  const keys = new Map<KeyUse, Buffer>();
  return async (use) => remembered(keys, use, () => randomBytes(subkeyBytes[use.purpose]));
}

function remembered<K, V>(known: Map<K, V>, name: K, make: () => V): V {
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}
