import type { PayloadSealer } from '../pipeline/dead-letters.ts';
import { associatedData, encrypt } from './ciphertext.ts';
import { deadLetterSubject, type KeyStore } from './key-store.ts';
import { LetheError } from '../schemas/errors.ts';

/** Seals dead letters' payloads under a key of the key store, bound to their topic. */
export function createPayloadSealer(keys: KeyStore): PayloadSealer {
  const { type, id } = deadLetterSubject;
  return {
    async seal(payload, topic) {
      const [key] = await keys.dataKeys(type, [id]);
      if (!key) throw new LetheError('KEY_STORE_INVALID', 'the dead letters have no key');
      const sealed = encrypt(key, associatedData(topic, 'payload', type, id), payload);
      return { sealed, keyId: key.keyId.toString('hex') };
    },
  };
}
