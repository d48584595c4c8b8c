import { VerifyError } from '../verify-error.ts';

const minMatch = 4;

/**
 * Decodes one LZ4 block into `out` from `at`; returns where the output ends. Matches may reach back into what stands
 * before `at`, as the blocks of a linked frame do.
 */
export function decodeLz4Block(input: Uint8Array, out: Uint8Array, at = 0): number {
  let i = 0;
  let o = at;
  while (i < input.length) {
    const token = input[i++]!;
    let literals = token >>> 4;
    if (literals === 15) [literals, i] = extendedLength(input, i, literals);
    if (i + literals > input.length || o + literals > out.length) throw malformed();
    out.set(input.subarray(i, i + literals), o);
    i += literals;
    o += literals;
    if (i === input.length) return o;
    const distance = input[i]! | (input[i + 1]! << 8);
    i += 2;
    let length = token & 15;
    if (length === 15) [length, i] = extendedLength(input, i, length);
    length += minMatch;
    if (distance === 0 || distance > o || o + length > out.length) throw malformed();
    // Byte by byte: the match may overlap what it writes.
    for (let from = o - distance, end = o + length; o < end; ) out[o++] = out[from++]!;
  }
  return o;
}

function extendedLength(input: Uint8Array, at: number, start: number): [length: number, next: number] {
  let length = start;
  let i = at;
  for (;;) {
    const byte = input[i++];
    if (byte === undefined) throw malformed();
    length += byte;
    if (byte !== 255) return [length, i];
  }
}

const frameMagic = 0x184d2204;
const blockSizes: Readonly<Record<number, number>> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 };

/** Decodes an LZ4 frame (what Kafka writes). Checksums are skipped: the record batch has one of its own. */
export function decodeLz4Frame(input: Buffer): Buffer {
  if (input.length < 7 || input.readUInt32LE(0) !== frameMagic) throw malformed();
  const flags = input[4]!;
  const blockSize = blockSizes[(input[5]! >>> 4) & 7];
  if (!blockSize) throw malformed();
  const blockChecksum = (flags & 0x10) !== 0;
  let at = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1;
  let out = Buffer.alloc(blockSize * 2);
  let length = 0;
  for (;;) {
    const header = input.readUInt32LE(at);
    at += 4;
    if (header === 0) return out.subarray(0, length);
    const size = header & 0x7fff_ffff;
    const block = input.subarray(at, at + size);
    if (out.length < length + blockSize) out = grown(out, length + blockSize);
    if (header >>> 31 === 1) {
      out.set(block, length);
      length += size;
    } else {
      length = decodeLz4Block(block, out, length);
    }
    at += size + (blockChecksum ? 4 : 0);
  }
}

function grown(buffer: Buffer, needed: number): Buffer<ArrayBuffer> {
  const larger = Buffer.alloc(Math.max(needed, buffer.length * 2));
  larger.set(buffer);
  return larger;
}

function malformed(): VerifyError {
  return new VerifyError('DATA_MALFORMED', 'lz4 data is malformed');
}
