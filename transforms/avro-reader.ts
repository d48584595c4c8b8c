import { LetheError } from '../schemas/errors.ts';

/** Walks Avro binary (https://avro.apache.org/docs/1.12.0/specification/#binary-encoding) within one buffer. */
export class AvroReader {
  buf: Buffer;
  pos: number;
  end: number;

  constructor(buf: Buffer = Buffer.alloc(0), pos = 0, end = buf.length) {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
  }

  /** Moves the reader to another buffer, so that one reader serves a whole batch. */
  reset(buf: Buffer, pos = 0, end = buf.length): this {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
    return this;
  }

  /** Skips `n` bytes; a length beyond the end is a malformed record, never a read out of range. */
  skip(n: number): void {
    if (n < 0 || n > this.end - this.pos) throw malformed();
    this.pos += n;
  }

  skipVarint(): void {
    const limit = Math.min(this.end, this.pos + 10);
    while (this.pos < limit) if (this.buf[this.pos++]! < 0x80) return;
    throw malformed();
  }

  /** A zigzag varint that must be a safe integer: lengths, branches, counts, ints. */
  readInt(): number {
    const buf = this.buf;
    let result = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      if (this.pos >= this.end) throw malformed();
      const byte = buf[this.pos++]!;
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) return result % 2 === 0 ? result / 2 : -(result + 1) / 2;
      scale *= 128;
    }
    throw malformed();
  }

  /** A zigzag varint of 64 bits. */
  readLong(): bigint {
    const buf = this.buf;
    let low = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      if (this.pos >= this.end) throw malformed();
      const byte = buf[this.pos++]!;
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) return unzigzag(BigInt(low));
      scale *= 128;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      if (this.pos >= this.end) throw malformed();
      const byte = buf[this.pos++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return unzigzag(BigInt.asUintN(64, value));
    }
    throw malformed();
  }

  /** A zigzag varint that is not negative, as two words of 32 bits, the high one first. */
  readWords(words: Uint32Array, at: number): void {
    const start = this.pos;
    const small = this.readShortVarint();
    if (small >= 0) {
      if (small % 2 !== 0) throw malformed();
      const value = small / 2;
      words[at] = value / 0x1_0000_0000;
      words[at + 1] = value % 0x1_0000_0000;
      return;
    }
    this.pos = start;
    const value = this.readLong();
    if (value < 0n) throw malformed();
    words[at] = Number(value >> 32n);
    words[at + 1] = Number(value & 0xffff_ffffn);
  }

  /** A zigzag varint of 64 bits in decimal. */
  readLongText(): string {
    const start = this.pos;
    const small = this.readShortVarint();
    if (small >= 0) return String(small % 2 === 0 ? small / 2 : -(small + 1) / 2);
    this.pos = start;
    return String(this.readLong());
  }

  /** A varint of up to seven bytes, which a number holds exactly; -1 for a longer one. */
  private readShortVarint(): number {
    const { buf, end } = this;
    let pos = this.pos;
    let result = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      if (pos >= end) throw malformed();
      const byte = buf[pos++]!;
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.pos = pos;
        return result;
      }
      scale *= 128;
    }
    return -1;
  }

  /** A string's or bytes value's content; the view is valid as long as the buffer is. */
  readBytes(): Buffer {
    const length = this.readInt();
    const start = this.pos;
    this.skip(length);
    return this.buf.subarray(start, this.pos);
  }
}

function unzigzag(n: bigint): bigint {
  return (n & 1n) === 0n ? n >> 1n : -((n + 1n) >> 1n);
}

export function malformed(): LetheError {
  return new LetheError('RECORD_MALFORMED', 'the record ends before its schema does');
}
