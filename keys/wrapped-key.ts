import { LetheError } from '../schemas/errors.ts';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';
import { seal, unseal } from './aead.ts';

/** Of what is wrapped, in the order of its bytes. */
const format = 2;
const headBytes = 5;

/** Wraps a secret under an epoch's key: [0x02][4 epoch BE] and a {@link seal}, bound to its name and generation. */
export function wrapKey(
  epoch: number,
  epochKey: Buffer,
  name: string,
  generation: number,
  secret: Buffer,
): Buffer {
  const head = Buffer.alloc(headBytes);
  head[0] = format;
  head.writeUInt32BE(epoch, 1);
  return Buffer.concat([head, seal(epochKey, secret, wrapContext(epoch, name, generation))]);
}

/** Under which epoch a secret is wrapped; KEY_STORE_INVALID for an unknown format. */
export function epochOfWrapped(wrapped: Buffer): number {
  if (wrapped.length <= headBytes || wrapped[0] !== format) {
    throw new LetheError('KEY_STORE_INVALID', 'the key store holds a wrapped key of an unknown format');
  }
  return wrapped.readUInt32BE(1);
}

/** The secret that {@link wrapKey} wrapped under this name and generation. */
export function unwrapKey(epochKey: Buffer, wrapped: Buffer, name: string, generation: number): Buffer {
  const context = wrapContext(epochOfWrapped(wrapped), name, generation);
  const secret = unseal(epochKey, wrapped.subarray(headBytes), context);
  if (!secret) throw new LetheError('KEY_STORE_INVALID', `the epoch's key does not open key ${name}`);
  return secret;
}

function wrapContext(epoch: number, name: string, generation: number): Buffer {
  return lengthPrefixed('lethe/wrap/v2', String(epoch), name, String(generation));
}
