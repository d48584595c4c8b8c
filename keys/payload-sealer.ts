import type { PayloadOpener, PayloadSealer } from '../pipeline/dead-letters.ts';
import { LetheError } from '../schemas/errors.ts';
import { keyUse } from '../schemas/key-use.ts';
import { associatedData, decrypt, describeCiphertext, encrypt } from './ciphertext.ts';
import { deadLetterSubject, type KeyStore } from './key-store.ts';

const use = keyUse('encrypt', 'dead-letters', 'payload');

/** Seals dead letters' payloads under a key of the key store, bound to their topic. */
export function createPayloadSealer(keys: KeyStore): PayloadSealer {
  const { type, id } = deadLetterSubject;
  return {
    async seal(payload, topic) {
      const [key] = await keys.dataKeys({ type }, [id]);
      if (!key) throw new LetheError('KEY_STORE_INVALID', 'the dead letters have no key');
      const sealed = encrypt(key, use, associatedData(topic, 'payload'), payload);
      return { sealed, keyId: key.keyId.toString('hex') };
    },
  };
}

/** Opens them again; a payload whose key was destroyed is erased. */
export function createPayloadOpener(keys: Pick<KeyStore, 'keyById'>): PayloadOpener {
  return {
    async open(sealed, topic) {
      const named = describeCiphertext(sealed);
      if (!named) return { kind: 'unreadable' };
      const key = await keys.keyById(named.keyId, named.generation);
      if (!key) return { kind: 'erased' };
      const payload = decrypt(key, use, associatedData(topic, 'payload'), sealed);
      return payload ? { kind: 'opened', payload } : { kind: 'unreadable' };
    },
  };
}
