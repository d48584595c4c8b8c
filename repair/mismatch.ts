import type { SinkName } from '../schemas/sink-name.ts';
import type { Version } from '../schemas/version.ts';

/**
 * How a store's row is not as the source and the contract have it: not there, there though the source has none, older than what the clean
 * topic has of it, or of the right version and other values.
 */
export type MismatchKind = 'missing' | 'extra' | 'stale' | 'different';

/** A row of one store that is not as it must be. No value stands here, but for the key as consumers see it. */
export interface Mismatch {
  readonly sink: SinkName;
  readonly kind: MismatchKind;
  /** Canonical key of the clean record. */
  readonly key: string;
  readonly columns: readonly { readonly name: string; readonly why: string }[];
  /** What the store says that it has. */
  readonly version: Version | undefined;
}

/** What a table's reconciliation came to. */
export interface TableReconciliation {
  readonly table: string;
  /** Rows at the source that the contract lets pass. */
  readonly rows: number;
  /** Rows compared, over all stores. */
  readonly compared: number;
  /** Found, looked at again and still so, as of before any repair. */
  readonly found: readonly Mismatch[];
  /** Those that were repaired and looked at again. */
  readonly repaired: number;
  /** Those that are still so. */
  readonly left: readonly Mismatch[];
  /** True where so many rows differed that not all were listed: rebuild the table instead. */
  readonly more: boolean;
  readonly seconds: number;
}
