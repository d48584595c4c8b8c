/** Bytes that are copied by fours. */
const shortest = 16;
const longest = 1024;

/**
 * An append-only arena for a batch of encoded records. Views handed out by take() stay valid,
 * also when the arena grows (the old chunk is left to them).
 */
export class ByteWriter {
  buf: Buffer;
  pos = 0;
  private start = 0;
  private view: DataView;
  /** Of the memory that was copied from last: the records of a batch are mostly parts of one fetch. */
  private sourceView: DataView;

  constructor(size = 64 * 1024) {
    this.buf = Buffer.allocUnsafeSlow(size);
    this.view = viewOf(this.buf);
    this.sourceView = this.view;
  }

  /** Starts a record; what an earlier, failed record left behind is overwritten. */
  begin(): void {
    this.pos = this.start;
  }

  /** The record written since begin(). */
  take(): Buffer {
    const view = this.buf.subarray(this.start, this.pos);
    this.start = this.pos;
    return view;
  }

  reserve(n: number): void {
    if (this.pos + n <= this.buf.length) return;
    const used = this.pos - this.start;
    const next = Buffer.allocUnsafeSlow(Math.max(this.buf.length, (used + n) * 2));
    this.buf.copy(next, 0, this.start, this.pos);
    this.buf = next;
    this.view = viewOf(next);
    this.start = 0;
    this.pos = used;
  }

  byte(n: number): void {
    this.reserve(1);
    this.buf[this.pos++] = n;
  }

  copy(source: Buffer, from: number, to: number): void {
    const n = to - from;
    this.reserve(n);
    if (n >= shortest && n < longest) this.look(source);
    this.put(source, from, n, this.pos);
    this.pos += n;
  }

  /**
   * Copies ranges of fields, one behind the other: `runs` has the first field of each and the one behind its last, in the order of the fields,
   * whose places in `source` stand in `offsets` from `base` on. One call for all of them: a wide row has many.
   */
  copyRuns(source: Buffer, offsets: Int32Array, base: number, runs: Int32Array): void {
    const count = runs.length;
    this.reserve(offsets[base + runs[count - 1]!]! - offsets[base + runs[0]!]!);
    this.look(source);
    let { pos } = this;
    for (let i = 0; i < count; i += 2) {
      const from = offsets[base + runs[i]!]!;
      const n = offsets[base + runs[i + 1]!]! - from;
      this.put(source, from, n, pos);
      pos += n;
    }
    this.pos = pos;
  }

  /** Loops beat the call into C++, and the view it makes first, for ranges as short as most are. */
  private put(source: Buffer, from: number, n: number, pos: number): void {
    const { buf } = this;
    if (n < shortest) for (let i = 0; i < n; i++) buf[pos + i] = source[from + i]!;
    else if (n < longest) {
      // Four bytes at a time; the last four may overlap those before them.
      const { view, sourceView } = this;
      const start = source.byteOffset + from;
      const last = n - 4;
      for (let i = 0; i < last; i += 4) view.setInt32(pos + i, sourceView.getInt32(start + i));
      view.setInt32(pos + last, sourceView.getInt32(start + last));
    } else source.copy(buf, pos, from, from + n);
  }

  private look(source: Buffer): void {
    if (this.sourceView.buffer !== source.buffer) this.sourceView = new DataView(source.buffer);
  }

  /** A zigzag varint of a safe integer that is not negative: lengths and branches. */
  length(n: number): void {
    this.reserve(9);
    let rest = n * 2;
    while (rest > 0x7f) {
      this.buf[this.pos++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buf[this.pos++] = rest;
  }

  /** A zigzag varint of a 64-bit integer. */
  zigzag(n: bigint): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, n < 0n ? -2n * n - 1n : 2n * n);
    while (rest > 0x7fn) {
      this.buf[this.pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buf[this.pos++] = Number(rest);
  }

  /** A string or bytes value: length and content. */
  bytes(value: Buffer): void {
    this.length(value.length);
    this.copy(value, 0, value.length);
  }

  text(value: string): void {
    const n = Buffer.byteLength(value);
    this.length(n);
    this.reserve(n);
    this.buf.write(value, this.pos, n, 'utf8');
    this.pos += n;
  }
}

function viewOf(buf: Buffer): DataView {
  return new DataView(buf.buffer, buf.byteOffset, buf.length);
}
