import { VerifyError } from '../verify-error.ts';

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/** Decodes snappy as Kafka holds it: one raw block, or snappy-java's framing of several. */
export function decodeSnappy(input: Buffer): Buffer {
  if (!input.subarray(0, 8).equals(xerialMagic)) return decodeSnappyBlock(input);
  const blocks: Buffer[] = [];
  for (let at = 16; at < input.length; ) {
    const size = input.readInt32BE(at);
    blocks.push(decodeSnappyBlock(input.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}

function decodeSnappyBlock(input: Uint8Array): Buffer {
  let i = 0;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[i++];
    if (byte === undefined || shift > 28) throw malformed();
    size |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const out = Buffer.alloc(size >>> 0);
  let o = 0;
  while (i < input.length) {
    const tag = input[i++]!;
    if ((tag & 3) === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const bytes = length - 59;
        length = littleEndian(input, i, bytes);
        i += bytes;
      }
      length += 1;
      if (i + length > input.length || o + length > out.length) throw malformed();
      out.set(input.subarray(i, i + length), o);
      i += length;
      o += length;
      continue;
    }
    let length: number;
    let distance: number;
    if ((tag & 3) === 1) {
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | input[i]!;
      i += 1;
    } else {
      const bytes = (tag & 3) === 2 ? 2 : 4;
      length = (tag >>> 2) + 1;
      distance = littleEndian(input, i, bytes);
      i += bytes;
    }
    if (distance === 0 || distance > o || o + length > out.length) throw malformed();
    for (let from = o - distance, end = o + length; o < end; ) out[o++] = out[from++]!;
  }
  if (o !== out.length) throw malformed();
  return out;
}

function littleEndian(input: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > input.length) throw malformed();
  let n = 0;
  for (let b = bytes - 1; b >= 0; b--) n = n * 256 + input[at + b]!;
  return n;
}

function malformed(): VerifyError {
  return new VerifyError('DATA_MALFORMED', 'snappy data is malformed');
}
