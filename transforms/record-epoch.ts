import type { RawRecord } from '../pipeline/transform.ts';
import { epochHeader } from '../schemas/record-headers.ts';
import { lastEpoch } from '../schemas/version.ts';
import { malformed } from './avro-reader.ts';

const zero = 0x30;

/** The epoch of the source that the connector read; undefined in what others than it wrote, and in what an older version had it write. */
export function epochOf({ headers }: Pick<RawRecord, 'headers'>): number | undefined {
  const text = headers?.[epochHeader];
  if (text === undefined) return undefined;
  const epoch = text.length === 1 && typeof text !== 'string' ? digit(text[0]!) : Number(text.toString());
  if (!Number.isInteger(epoch) || epoch < 1 || epoch > lastEpoch) throw malformed();
  return epoch;
}

/** Of nearly every record: no text is made of it. */
function digit(byte: number | string | Buffer): number {
  return typeof byte === 'number' ? byte - zero : NaN;
}
