/**
 * A growing buffer in ClickHouse's RowBinary: little-endian numbers, strings behind their length. Nothing passes
 * through text or a JavaScript number that could not hold it.
 */
export class RowBinary {
  private buffer: Buffer;
  /** Over the same bytes: writes a bigint several times faster than Buffer does. */
  private view: DataView;
  private end = 0;

  constructor(initialBytes: number) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
    this.view = viewOf(this.buffer);
  }

  get length(): number {
    return this.end;
  }

  /** Takes back what was written after `length`: a row that could not be finished. */
  truncate(length: number): void {
    this.end = length;
  }

  /** A view, valid until the next write. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.end++] = value;
  }

  zeros(count: number): void {
    this.reserve(count);
    this.buffer.fill(0, this.end, this.end + count);
    this.end += count;
  }

  int32(value: number): void {
    this.reserve(4);
    this.view.setInt32(this.end, value, true);
    this.end += 4;
  }

  int64(value: bigint): void {
    this.reserve(8);
    this.view.setBigInt64(this.end, value, true);
    this.end += 8;
  }

  uint64(value: bigint): void {
    this.reserve(8);
    this.view.setBigUint64(this.end, value, true);
    this.end += 8;
  }

  float32(value: number): void {
    this.reserve(4);
    this.view.setFloat32(this.end, value, true);
    this.end += 4;
  }

  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.end, value, true);
    this.end += 8;
  }

  /** A UUID of 36 characters: two 64-bit halves, each little-endian. False, and nothing written, for other text. */
  uuid(text: string): boolean {
    if (text.length !== 36) return false;
    this.reserve(16);
    let digits = 0;
    for (let i = 0; i < 36; i++) {
      const code = text.charCodeAt(i);
      if (i === 8 || i === 13 || i === 18 || i === 23) {
        if (code !== 0x2d) return false;
        continue;
      }
      const nibble = hexValue(code);
      if (nibble < 0) return false;
      const at = this.end + ((digits >> 1) ^ 7);
      this.buffer[at] = digits % 2 === 0 ? nibble << 4 : this.buffer[at]! | nibble;
      digits++;
    }
    this.end += 16;
    return true;
  }

  /** Two's complement of `size` bytes. */
  integer(value: bigint, size: 4 | 8 | 16 | 32): void {
    if (size === 4) return this.int32(Number(value));
    for (let rest = value, bytes = size; bytes > 0; bytes -= 8, rest >>= 64n) {
      this.uint64(BigInt.asUintN(64, rest));
    }
  }

  /** Unsigned LEB128, as lengths are written. */
  varint(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.end++] = rest;
  }

  string(value: string): void {
    const { length } = value;
    if (length < 128) {
      this.reserve(1 + length * 3);
      if (this.shortAscii(value)) return;
    }
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.reserve(size);
    this.end += this.buffer.write(value, this.end, size, 'utf8');
  }

  /** A loop beats the call into native code for short texts. */
  private shortAscii(value: string): boolean {
    const { buffer } = this;
    let at = this.end + 1;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    buffer[this.end] = value.length;
    this.end = at;
    return true;
  }

  private reserve(count: number): void {
    if (this.end + count <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + count));
    this.buffer.copy(grown, 0, 0, this.end);
    this.buffer = grown;
    this.view = viewOf(grown);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
