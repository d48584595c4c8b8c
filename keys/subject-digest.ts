import type { Config } from '../schemas/config.ts';
import type { SubjectKind } from './key-store.ts';
import { openKeyStore } from './open-key-store.ts';

/** What the key store finds a subject by. */
export async function subjectDigest(
  config: Pick<Config, 'keys'>,
  kind: SubjectKind,
  id: string,
): Promise<Buffer> {
  const store = openKeyStore(config);
  try {
    return await store.subjectDigest(kind, id);
  } finally {
    await store.close();
  }
}
