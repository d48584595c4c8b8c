import { decompressRecords } from '../codecs/decompress.ts';
import { WireReader } from './wire.ts';

/** A record as it lies in a batch; control records are not records. */
export interface KafkaRecord {
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly key: Buffer; readonly value: Buffer | null }[];
}

/** A batch of format 2, not yet decompressed. */
export interface RecordBatch {
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  /** Bytes of the whole batch in the file or the answer. */
  readonly start: number;
  readonly end: number;
  readonly codec: number;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly producerId: bigint;
  readonly count: number;
  /** The records' bytes, compressed by `codec`. */
  readonly payload: Buffer;
}

const headerBytes = 61;
const lengthFieldEnd = 12;

/**
 * Walks the batches of a segment file or a fetch answer. Stops at the first byte that does not begin a whole batch
 * of format 2 (the torn end of a fetch, preallocated zeros): the caller learns where from the last `end`.
 */
export function* recordBatches(bytes: Buffer, from = 0): Generator<RecordBatch> {
  let start = from;
  while (start + headerBytes <= bytes.length) {
    const length = bytes.readInt32BE(start + 8);
    const end = start + lengthFieldEnd + length;
    if (length < headerBytes - lengthFieldEnd || end > bytes.length || bytes[start + 16] !== 2) return;
    const baseOffset = bytes.readBigInt64BE(start);
    const attributes = bytes.readInt16BE(start + 21);
    yield {
      baseOffset,
      lastOffset: baseOffset + BigInt(bytes.readInt32BE(start + 23)),
      start,
      end,
      codec: attributes & 7,
      transactional: (attributes & 0x10) !== 0,
      control: (attributes & 0x20) !== 0,
      producerId: bytes.readBigInt64BE(start + 43),
      count: bytes.readInt32BE(start + 57),
      payload: bytes.subarray(start + headerBytes, end),
    };
    start = end;
  }
}

/** The batch's records; throws if they are not what the batch says. */
export function recordsOf(batch: RecordBatch): KafkaRecord[] {
  return parseRecords(batch, decompressRecords(batch.codec, batch.payload));
}

/** As {@link recordsOf}, for bytes that are already decompressed. */
export function parseRecords(batch: RecordBatch, plain: Buffer): KafkaRecord[] {
  const reader = new WireReader(plain);
  const records: KafkaRecord[] = [];
  for (let i = 0; i < batch.count; i++) {
    const length = reader.varint();
    const end = reader.at + length;
    reader.int8();
    reader.varlong();
    const offset = batch.baseOffset + reader.varlong();
    const key = nullableBytes(reader);
    const value = nullableBytes(reader);
    const headers = Array.from({ length: reader.varint() }, () => ({
      key: nullableBytes(reader) ?? Buffer.alloc(0),
      value: nullableBytes(reader),
    }));
    reader.at = end;
    records.push({ offset, key, value, headers });
  }
  return records;
}

function nullableBytes(reader: WireReader): Buffer | null {
  const length = reader.varint();
  return length < 0 ? null : reader.slice(length);
}

/** Is the control batch an abort marker? (The key of a control record: version, then type 0 for abort.) */
export function isAbortMarker(batch: RecordBatch): boolean {
  const key = recordsOf(batch)[0]?.key;
  return key !== undefined && key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
}
