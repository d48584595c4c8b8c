import type { CommittedRecord } from '../../pipeline/committed-reader.ts';

/** Records that one fetch gives at most. */
const fetched = 3;

/**
 * One partition of a compacted topic as its readers see it: segments, of which the last is open, and a cleaner that keeps the last
 * record of each key in the closed ones.
 */
export class CompactedLog {
  private segments: CommittedRecord[][] = [[]];
  private next = 0n;
  reads = 0;

  append(key: string, value: string | null): bigint {
    const offset = this.next++;
    const bytes = value === null ? null : Buffer.from(value);
    this.segments.at(-1)!.push({ offset, key, value: bytes, headers: new Map(), timestampMs: 1 });
    return offset;
  }

  get end(): bigint {
    return this.next;
  }

  get records(): readonly CommittedRecord[] {
    return this.segments.flat();
  }

  /** A control batch: it has an offset and is no record. */
  roll(): void {
    this.next++;
    this.segments.push([]);
  }

  compact(): void {
    const closed = this.segments.slice(0, -1);
    const last = new Map(closed.flat().map(({ key, offset }) => [key, offset]));
    this.segments = [
      ...closed.map((records) => records.filter(({ key, offset }) => last.get(key) === offset)),
      this.segments.at(-1)!,
    ];
  }

  async *read(
    _topic: string,
    _partition: number,
    from = 0n,
    to = this.next,
  ): AsyncGenerator<readonly CommittedRecord[]> {
    for (let next = from; next < to; ) {
      this.reads++;
      const records = this.records.filter(({ offset }) => offset >= next).slice(0, fetched);
      yield records;
      next = records.length < fetched ? this.next : records.at(-1)!.offset + 1n;
    }
  }
}
