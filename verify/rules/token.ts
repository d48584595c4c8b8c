import { createCipheriv } from 'node:crypto';

const blockBytes = 16;
const zero = Buffer.alloc(blockBytes);

/** AES-SIV of RFC 5297 with one string and no associated data, as its text goes: `V || C`. The key is MAC key and CTR key. */
export function tokenOf(key: Buffer, text: string): string {
  const macKey = key.subarray(0, key.length / 2);
  const plain = Buffer.from(text, 'utf8');
  const tag = s2v(macKey, plain);
  const counter = Buffer.from(tag);
  counter[8]! &= 0x7f;
  counter[12]! &= 0x7f;
  const cipher = createCipheriv('aes-256-ctr', key.subarray(key.length / 2), counter);
  return Buffer.concat([tag, cipher.update(plain), cipher.final()]).toString('base64url');
}

/** Section 2.4 with n = 1: D = CMAC(zero), then the string is folded in at its end, or padded. */
function s2v(key: Buffer, text: Buffer): Buffer {
  const d = cmac(key, zero);
  if (text.length >= blockBytes) {
    const end = Buffer.from(text);
    for (let i = 0; i < blockBytes; i++) end[text.length - blockBytes + i]! ^= d[i]!;
    return cmac(key, end);
  }
  return cmac(key, xor(doubled(d), padded(text)));
}

/** RFC 4493: CBC-MAC whose last block is masked by a doubled encryption of zero. */
function cmac(key: Buffer, message: Buffer): Buffer {
  const k1 = doubled(ecb(key, zero));
  const whole = message.length > 0 && message.length % blockBytes === 0;
  const start = whole ? message.length - blockBytes : message.length - (message.length % blockBytes);
  const last = whole ? xor(message.subarray(start), k1) : xor(padded(message.subarray(start)), doubled(k1));
  const cbc = createCipheriv('aes-256-cbc', key, zero).setAutoPadding(false);
  const out = Buffer.concat([cbc.update(message.subarray(0, start)), cbc.update(last), cbc.final()]);
  return out.subarray(out.length - blockBytes);
}

function padded(part: Buffer): Buffer {
  const block = Buffer.alloc(blockBytes);
  part.copy(block);
  block[part.length] = 0x80;
  return block;
}

/** Times x in GF(2^128). */
function doubled(block: Buffer): Buffer {
  const value = BigInt(`0x${block.toString('hex')}`) << 1n;
  const reduced = value >> 128n === 1n ? (value ^ 0x87n) & ((1n << 128n) - 1n) : value;
  return Buffer.from(reduced.toString(16).padStart(32, '0'), 'hex');
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!));
}

export function ecb(key: Buffer, block: Buffer): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}
