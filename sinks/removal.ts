import type { Version } from '../schemas/version.ts';

/**
 * Rows that are to be gone from a store, as canonical record keys, each with the version of the tombstone that stands in the clean topic:
 * what is older goes, the tombstone and what is newer stay.
 */
export type RemovedRows = ReadonlyMap<string, Version>;

/** A limit for what a store does in its own time. */
export interface Waiting {
  readonly signal: AbortSignal;
  /** It gives up after so long. */
  readonly limitMs: number;
}
