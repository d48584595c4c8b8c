import type { Dataset } from '../schemas/dataset.ts';
import type { SinkName } from '../schemas/sink-name.ts';
import type { ErrorCode } from '../schemas/errors.ts';
import type { Version } from '../schemas/version.ts';

declare const protectedBrand: unique symbol;

/**
 * A change as read from a clean topic: it has been through a contract. Only the reader of clean topics makes
 * one; sinks take nothing else, so that an unprotected write does not compile.
 */
export interface CleanChange {
  readonly [protectedBrand]: true;
  /** `schema.table`. */
  readonly table: string;
  /** Canonical key text, see schemas/record-key.ts. */
  readonly key: string;
  readonly version: Version;
  /** Column name -> value as avsc decodes the clean schema (long as bigint, bytes as Buffer); null: the row is deleted. */
  readonly row: Readonly<Record<string, unknown>> | null;
  readonly eventId: string;
  readonly traceId: string;
  /** Commit time at the source, ms since the epoch. */
  readonly commitMs: number;
  /** Digest of the contract that made it. */
  readonly contract: string;
}

/**
 * What became of one change.
 * - `written`: durable in the store. `stale`: the store holds the same or a newer version: a success.
 * - `retriable`: not this change's fault; the loop tries it again, for as long as it takes.
 * - `rejected`: this change will never be taken; it goes to the dead letters with the code.
 */
export type Verdict =
  | { readonly outcome: 'written' | 'stale' }
  | { readonly outcome: 'retriable' | 'rejected'; readonly code: ErrorCode };

/**
 * A store that takes clean changes.
 *
 * write() may be called again with the same changes (at-least-once): ids and versions make it idempotent. Changes
 * of one key stand in order within a batch. It throws only LetheErrors; a throw means nothing is known of the whole
 * batch and it is retried. The caller moves offsets only after every verdict is written, stale or dead-lettered.
 * `generation`: which of the table's indexes or tables it goes to, see store-generation.ts.
 */
export interface Sink {
  readonly name: SinkName;
  write(dataset: Dataset, changes: readonly CleanChange[], generation: number): Promise<Verdict[]>;
  close(): Promise<void>;
}
