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

const uuidLength = 36;
/** The context of the UUID that was asked for last, and where the UUID stands in it. */
let last:
  | { readonly epoch: number; readonly generation: number; readonly bytes: Buffer; readonly at: number }
  | undefined;

/**
 * What a wrapped key is bound to; valid until the next call. A process opens keys by the ten thousands whose contexts differ in their UUIDs
 * alone: only that is written anew.
 */
function wrapContext(epoch: number, name: string, generation: number): Buffer {
  if (name.length !== uuidLength) return contextOf(epoch, name, generation);
  if (last?.epoch !== epoch || last.generation !== generation) {
    const bytes = contextOf(epoch, name, generation);
    last = { epoch, generation, bytes, at: bytes.length - String(generation).length - 4 - uuidLength };
  }
  const { bytes, at } = last;
  for (let i = 0; i < uuidLength; i++) bytes[at + i] = name.charCodeAt(i);
  return bytes;
}

function contextOf(epoch: number, name: string, generation: number): Buffer {
  return lengthPrefixed('lethe/wrap/v2', String(epoch), name, String(generation));
}
