import type { PayloadOpener, PayloadSealer } from '../pipeline/dead-letters.ts';
import { LetheError } from '../schemas/errors.ts';
import { keyUse } from '../schemas/key-use.ts';
import { associatedData, decrypt, describeCiphertext, encrypt } from './ciphertext.ts';
import { deadLetterSubject, type KeyStore } from './key-store.ts';
import type { EncryptionReserve } from './reserve-encryptions.ts';
import { SealingKey } from './sealing-key.ts';

const use = keyUse('encrypt', 'dead-letters', 'payload');

/** Seals dead letters' payloads under a key of the key store, bound to their topic; as often under each generation as `reserve` says. */
export function createPayloadSealer(
  keys: Pick<KeyStore, 'dataKeys' | 'keyById'>,
  reserve: EncryptionReserve,
): PayloadSealer {
  const { type, id } = deadLetterSubject;
  const sealing = new SealingKey({ keys, reserve });
  return {
    async seal(payload, topic) {
      const [current] = await keys.dataKeys({ type }, [id]);
      if (!current) throw new LetheError('KEY_STORE_INVALID', 'the dead letters have no key');
      const key = await sealing.next(current);
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
