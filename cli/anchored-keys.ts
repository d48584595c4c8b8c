import {
  type Anchor,
  checkAnchor,
  gapBehind,
  openAnchor,
  readHead,
  sealAnchor,
} from '../keys/audit/anchor.ts';
import { keyStoreState } from '../keys/key-store-error.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { readAnchors, writeAnchor } from '../pipeline/anchor-topic.ts';
import type { Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { keyUse } from '../schemas/key-use.ts';
import { storeKey } from './store-key.ts';

const name = 'audit';
const use = keyUse('pseudonym', 'audit-anchor');

/**
 * Notes in Kafka how far the key store's audit has come; to be called after each thing that it tells of. KEY_STORE_INVALID where it is behind
 * what was noted before: what tells of an older backup is not written over.
 */
export async function anchorKeys(config: Config): Promise<Anchor> {
  await requireAnchored(config);
  return writeHead(config);
}

/** The same whatever was noted before: of a key store that was told all that it had missed. */
export async function anchorRecovered(config: Config): Promise<Anchor> {
  return writeHead(config);
}

async function writeHead(config: Config): Promise<Anchor> {
  const key = await storeKey(config, use);
  const head = await withKeyStore(config, readHead);
  if (!head)
    throw new LetheError('KEY_STORE_INVALID', 'the key store has no audit', { fix: 'Run `lethe apply`.' });
  await writeAnchor(config, name, sealAnchor(head, key));
  await withKeyStore(config, (client) =>
    client.query('update lethe_keys.store set anchored_at = clock_timestamp()'),
  );
  return head;
}

/** KEY_STORE_INVALID where the key store is behind what was noted of it in Kafka. Was anything noted yet? */
export async function requireAnchored(config: Config): Promise<boolean> {
  const text = (await readAnchors(config)).get(name);
  const key = await storeKey(config, use);
  return withKeyStore(config, async (client) => {
    if (text !== undefined) {
      await checkAnchor(client, text, key);
      return true;
    }
    const { rows } = await client.query<{ noted: boolean }>(
      'select anchored_at is not null as noted from lethe_keys.store',
    );
    if (!rows[0]?.noted) return false;
    throw new LetheError('KEY_STORE_INVALID', 'what was noted of the key store in Kafka is gone', {
      fix: 'Bring the topic of anchors back: without it nobody can tell an older key store from the newest.',
    });
  });
}

/** What was noted of the key store, and why it is behind that. */
export interface Gap {
  readonly anchor: Anchor;
  readonly why: string;
}

/** Undefined where the key store is not behind what was noted of it, or nothing was. KEY_STORE_INVALID for an anchor of another one. */
export async function findGap(config: Config): Promise<Gap | undefined> {
  const text = (await readAnchors(config)).get(name);
  if (text === undefined) return undefined;
  const key = await storeKey(config, use);
  return withKeyStore(config, async (client) => {
    const anchor = await openAnchor(client, text, key);
    const why = await gapBehind(client, anchor);
    return why === undefined ? undefined : { anchor, why };
  });
}

/** Of `apply`, when topics and key store are there. */
export function anchorResources(config: Config): Resource[] {
  return [
    {
      name: 'anchor of the audit',
      system: 'keys',
      diff: async () => {
        const isNoted = await requireAnchored(config).catch((error: unknown) => {
          // One that is not set up yet is another resource's matter.
          const isNew = error instanceof LetheError && error.code === 'KEY_STORE_INVALID';
          if (isNew && keyStoreState(error) !== undefined) return false;
          throw error;
        });
        return isNoted ? [] : [{ action: 'create', summary: 'anchor of the key store’s audit, in Kafka' }];
      },
      // Nothing was noted a moment ago; and a topic that was just made has no leader yet for whoever reads it.
      apply: async () => void (await writeHead(config)),
    },
  ];
}
