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

/** What became of a sealed payload: its bytes; or its key was destroyed; or it is not what this topic's key sealed. */
export type OpenedPayload =
  | { readonly kind: 'opened'; readonly payload: Buffer }
  | { readonly kind: 'erased' | 'unreadable' };

/** Decrypts what a {@link PayloadSealer} sealed. */
export interface PayloadOpener {
  /** Fails with KEY_STORE_UNAVAILABLE or, with another master key than it was sealed under, KEY_STORE_INVALID. */
  open(sealed: Buffer, topic: string): Promise<OpenedPayload>;
}

/** A payload beyond this is left out: the record stays findable by topic, partition and offset. */
const largestPayloadBytes = 8 * 1024 * 1024;

/**
 * The record for a dead-letter topic. Its key is the origin's position and the stage, so that a repetition takes its
 * place and two sinks do not take each other's; the record's key and value stand encrypted in its value:
 * [4-byte key length, or -1 for none][key][value].
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
    key: `${origin.topic}/${origin.partition}/${origin.offset}/${origin.stage}`,
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

/** Key and value out of a payload; undefined for one that is none. The value is null where there was none, or it was left out. */
export function splitPayload(payload: Buffer): { key: Buffer | null; value: Buffer | null } | undefined {
  if (payload.length < 4) return undefined;
  const length = payload.readInt32BE(0);
  const end = 4 + Math.max(0, length);
  if (length < -1 || end > payload.length) return undefined;
  return {
    key: length < 0 ? null : payload.subarray(4, end),
    value: end === payload.length ? null : payload.subarray(end),
  };
}
