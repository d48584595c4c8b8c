const mostKept = 256;

/**
 * Short plaintexts in buffers of exactly their size, for calls that are done with them when they return, such as those of
 * node:crypto: one is kept for each size, since a view of a larger buffer costs more than copying so few bytes.
 */
export class SizedBuffers {
  private readonly kept: (Buffer | undefined)[] = Array.from({ length: mostKept });

  /** The bytes [from, to) of `buf`, valid until the next call. */
  part(buf: Buffer, from: number, to: number): Buffer {
    const size = to - from;
    if (size >= mostKept) return buf.subarray(from, to);
    const part = (this.kept[size] ??= Buffer.alloc(size));
    for (let i = 0; i < size; i++) part[i] = buf[from + i]!;
    return part;
  }
}
