import { openKeyStore } from '../keys/open-key-store.ts';
import type { Config } from '../schemas/config.ts';
import type { KeyUse } from '../schemas/key-use.ts';

/** A key of the key store itself, of nobody. Fails as the key store does. */
export async function storeKey(config: Pick<Config, 'keys'>, use: KeyUse): Promise<Buffer> {
  const store = openKeyStore(config);
  try {
    return await store.sharedKey(use);
  } finally {
    await store.close();
  }
}
