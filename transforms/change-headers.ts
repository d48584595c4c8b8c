import type { Dataset } from '../schemas/dataset.ts';
import { header } from '../schemas/record-headers.ts';
import type { VersionWords } from '../schemas/version-words.ts';
import type { ChangeHead } from './change-head.ts';
import { EventIds, TraceIds } from './event-id.ts';

const versionLength = 47;
const idLength = 32;

/** Makes the headers of clean records. All their digits are written into one buffer and become one text, of which each is a part. */
export class ChangeHeaders {
  private readonly eventIds: EventIds;
  private readonly traceIds = new TraceIds();
  private readonly contract: string;
  private readonly scratch = Buffer.alloc(versionLength + 2 * idLength + 20, '-');
  private readonly view = new DataView(this.scratch.buffer, this.scratch.byteOffset);

  constructor(dataset: Dataset) {
    this.eventIds = new EventIds(dataset.table);
    this.contract = dataset.digest;
  }

  of(head: ChangeHead, version: VersionWords, key: string): Record<string, string> {
    const { scratch, view } = this;
    // formatVersion: 4-16-16-8 digits.
    hex16(view, 0, version[0]! & 0xffff);
    hex32(view, 5, version[1]!);
    hex32(view, 13, version[2]!);
    hex32(view, 22, version[3]!);
    hex32(view, 30, version[4]!);
    hex32(view, 39, version[5]!);
    const eventAt = versionLength;
    hex128(view, eventAt, this.eventIds.of(version, key));
    const traceAt = eventAt + idLength;
    hex128(view, traceAt, this.traceIds.of(version, head.hasTxId ? head.txId : undefined));
    const commitAt = traceAt + idLength;
    const end = decimal(scratch, commitAt, head.commitMs);
    const text = scratch.toString('latin1', 0, end);
    return {
      [header.version]: text.slice(0, eventAt),
      [header.eventId]: text.slice(eventAt, traceAt),
      [header.traceId]: text.slice(traceAt, commitAt),
      [header.op]: head.op,
      [header.commitMs]: text.slice(commitAt),
      [header.contract]: this.contract,
    };
  }
}

const digits = Buffer.from('0123456789abcdef');
/** The two digits of each byte, as one word of 16 bits. */
const digitPairs = Uint16Array.from(
  { length: 256 },
  (_, byte) => (digits[byte >> 4]! << 8) | digits[byte & 15]!,
);

function hex128(out: DataView, at: number, words: Uint32Array): void {
  hex32(out, at, words[0]!);
  hex32(out, at + 8, words[1]!);
  hex32(out, at + 16, words[2]!);
  hex32(out, at + 24, words[3]!);
}

function hex32(out: DataView, at: number, word: number): void {
  hex16(out, at, word >>> 16);
  hex16(out, at + 4, word & 0xffff);
}

function hex16(out: DataView, at: number, half: number): void {
  out.setUint16(at, digitPairs[half >>> 8]!);
  out.setUint16(at + 2, digitPairs[half & 0xff]!);
}

/** Writes an integer in decimal; returns the end. */
function decimal(out: Buffer, at: number, n: number): number {
  if (n < 0 || n >= 1e15) return at + out.write(String(n), at, 'latin1');
  let count = 1;
  for (let limit = 10; n >= limit; limit *= 10) count++;
  // Two halves that fit 32 bits each, where division is cheap.
  const high = Math.floor(n / 1e7);
  let i = at + count - 1;
  for (let rest = (n - high * 1e7) | 0, left = high > 0 ? 7 : count; left > 0; left--) {
    const next = (rest / 10) | 0;
    out[i--] = digits[rest - next * 10]!;
    rest = next;
  }
  for (let rest = high | 0; rest > 0; ) {
    const next = (rest / 10) | 0;
    out[i--] = digits[rest - next * 10]!;
    rest = next;
  }
  return at + count;
}
