import type { OutputRecord } from './transactional-producer.ts';
import type { ErrorCode } from '../schemas/errors.ts';
import { deadLetterHeader } from '../schemas/record-headers.ts';

/** Where a dead letter comes from and why; all of it may stand in the clear. */
export interface DeadLetterOrigin {
  readonly table: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly code: ErrorCode;
  /** `transform` or the sink's name. */
  readonly stage: string;
}

/** Encrypts a payload for the dead letters: the composition root passes the key store's in. */
export interface PayloadSealer {
  /** Sealed bytes and the hex id of their key. Fails with KEY_STORE_UNAVAILABLE, to be retried. */
  seal(payload: Buffer, topic: string): Promise<{ sealed: Buffer; keyId: string }>;
}

/** A payload beyond this is left out: the record stays findable by topic, partition and offset. */
const largestPayloadBytes = 8 * 1024 * 1024;

/**
 * The record for a dead-letter topic. Its key is the origin's position; the raw record's key and value stand encrypted
 * in its value: [4-byte key length, or -1 for none][key][value].
 */
export async function deadLetter(
  origin: DeadLetterOrigin,
  key: Buffer | null,
  value: Buffer | null,
  sealer: PayloadSealer,
  topic: string,
): Promise<OutputRecord> {
  const whole = (key?.length ?? 0) + (value?.length ?? 0) <= largestPayloadBytes;
  const length = Buffer.alloc(4);
  length.writeInt32BE(key ? key.length : -1);
  const payload = Buffer.concat([length, key ?? Buffer.alloc(0), (whole ? value : null) ?? Buffer.alloc(0)]);
  const { sealed, keyId } = await sealer.seal(payload, topic);
  return {
    topic,
    key: `${origin.topic}/${origin.partition}/${origin.offset}`,
    value: sealed,
    headers: {
      [deadLetterHeader.code]: origin.code,
      [deadLetterHeader.stage]: origin.stage,
      [deadLetterHeader.topic]: origin.topic,
      [deadLetterHeader.partition]: String(origin.partition),
      [deadLetterHeader.offset]: origin.offset,
      [deadLetterHeader.keyId]: keyId,
    },
  };
}
