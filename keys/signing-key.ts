import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Config } from '../schemas/config.ts';
import { EpochRing, notSetUp } from './epoch-ring.ts';
import { withKeyStore } from './key-store-client.ts';
import { openMaster } from './master/open-master.ts';
import { signingSecret } from './schema.ts';
import { epochOfWrapped, unwrapKey } from './wrapped-key.ts';

/** The Ed25519 key that this installation signs certificates with (RFC 8032). */
export interface SigningKey {
  /** The public key in PEM (SubjectPublicKeyInfo, RFC 8410): what whoever verifies pins. */
  readonly publicKey: string;
  /** SHA-256 of the public key's DER, in hex. */
  readonly fingerprint: string;
  /** Signature of these bytes, 64 bytes. */
  sign(bytes: Buffer): Buffer;
}

/** PKCS #8 of an Ed25519 key up to its seed (RFC 8410, section 7). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Runs with this installation's signing key, whose seed is forgotten afterwards. KEY_STORE_INVALID where the key store has none (`lethe
 * apply` makes it), KEY_STORE_UNAVAILABLE where the key store does not answer.
 */
export async function withSigningKey<T>(
  config: Pick<Config, 'keys'>,
  use: (key: SigningKey) => Promise<T> | T,
): Promise<T> {
  const seed = await readSeed(config);
  try {
    return await use(signingKeyOf(seed));
  } finally {
    seed.fill(0);
  }
}

/** The signing key of a seed of 32 bytes. */
export function signingKeyOf(seed: Buffer): SigningKey {
  const der = Buffer.concat([pkcs8Head, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const publicKey = createPublicKey(privateKey);
  return {
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }) as string,
    fingerprint: fingerprintOf(publicKey),
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

/** SHA-256 of a public key's DER, in hex. */
export function fingerprintOf(publicKey: KeyObject): string {
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(der).digest('hex');
}

/** Between the look at the row and the look at the epochs the row may be wrapped anew, and its epoch go: it is read once more. */
async function readSeed(config: Pick<Config, 'keys'>): Promise<Buffer> {
  return withKeyStore(config, async (client) => {
    const ring = new EpochRing((text, values) => client.query(text, values), openMaster(config.keys.master));
    const read = async () => {
      const { rows } = await client.query<{ wrapped: Buffer }>(
        'select wrapped from lethe_keys.secrets where name = $1',
        [signingSecret],
      );
      if (!rows[0]) throw notSetUp();
      return rows[0].wrapped;
    };
    let wrapped = await read();
    if (!(await ring.load(new Set([epochOfWrapped(wrapped)])))) {
      wrapped = await read();
      await ring.look();
    }
    return unwrapKey(ring.keyOf(epochOfWrapped(wrapped)), wrapped, signingSecret, 0);
  });
}
