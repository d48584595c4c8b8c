import type { KafkaMessage } from 'kafkajs';
import type { ErrorCode } from '../schemas/errors.ts';
import type { LookupChange } from './lookup.ts';
import type { VersionClock } from './version-clock.ts';

/** A record of a raw topic, unprotected: it goes nowhere but into a {@link TableTransform} or, encrypted, to the dead letters. */
export interface RawRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: KafkaMessage['headers'];
  /** Of a record that was parked: the version it was given then, and whether its time is up. */
  readonly parked?: { readonly version: string; readonly expired: boolean };
}

/**
 * What became of one raw record.
 * - `clean`: protected; a null value is a tombstone.
 * - `skipped`: nothing to say downstream (`reason` is counted).
 * - `failed`: this record cannot be treated; it goes to the dead letters, encrypted.
 * - `parked`: a row that one of its paths leads to is not known yet; the record waits for it.
 *
 * Whatever became of it, it may say what others look up in its row.
 */
export type Outcome = Fate & { readonly lookup?: LookupChange };

export type Fate =
  | {
      readonly kind: 'clean';
      readonly key: string;
      readonly value: Buffer | null;
      readonly headers: Readonly<Record<string, string>>;
      /** Of a person who was forgotten. */
      readonly erased?: true;
      /** Whose own row was deleted, where that starts an erasure. */
      readonly endedSubject?: string;
    }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string }
  | { readonly kind: 'parked'; readonly version: string; readonly waitsFor: MissingRow }
  /** All rows that are older than the headers' version are deleted. */
  | { readonly kind: 'truncated'; readonly headers: Readonly<Record<string, string>> };

/** A change of no row: a TRUNCATE, as Debezium writes it. */
export function isOfNoRow({ key, value }: RawRecord): boolean {
  return key === null && value !== null;
}

/** A row of a looked-up table that is not known; `digest` is what it would be called. */
export interface MissingRow {
  readonly table: string;
  readonly digest: string;
}

export type SkipReason =
  /** Debezium's own tombstone: ours is made from the delete before it. */
  | 'tombstone'
  /** The row was deleted, or came under another verdict or subject, before a value could be read at the source; that change follows. */
  | 'superseded'
  /** A TRUNCATE that the contract ignores. */
  | 'truncate'
  /** A logical message: no row. */
  | 'no-row';

/**
 * Turns raw records of one table into clean ones under its contract.
 *
 * Outcomes stand in the records' order. Failures of one record are outcomes; it throws (a retriable LetheError) only when
 * a server it needs is away, and may then be called again with the same records and a fresh copy of the clock.
 * Calls for several partitions may be under way at once.
 */
export interface TableTransform {
  readonly table: string;
  transform(records: readonly RawRecord[], clock: VersionClock): Promise<Outcome[]>;
}
