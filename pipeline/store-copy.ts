/**
 * Where the rebuilding of a store's rows of one table stands, as the store itself says.
 * - `none`: nothing is rebuilt.
 * - `building`: one is filled beside the live one; readers do not see it.
 * - `swapped`: readers see the new one, which may lack what was written to the old one last.
 * - `kept`: the new one has all; the old one is there until somebody confirms.
 */
export type CopyState = 'none' | 'building' | 'swapped' | 'kept';

/** The rebuilding of a store's rows of one table. Every call looks at the store first, so that one that was cut short is done again. */
export interface StoreCopy {
  state(): Promise<CopyState>;
  /** Name of what stands beside the live one; undefined where nothing does. */
  beside(): Promise<string | undefined>;
  /** Makes the next one, or goes on with the one that is there. */
  prepare(): Promise<void>;
  /** Event ids of the changes that made the rows of the next one, some at a time; deleted rows are left out. */
  eventIds(): AsyncIterable<readonly string[]>;
  /** From now on the live one takes no writes: sinks try again until it is swapped or released. What is under way may still get in. */
  hold(): Promise<void>;
  /** The live one takes writes again. */
  release(): Promise<void>;
  /** Readers and sinks have the next one from one moment to the other. */
  swap(): Promise<void>;
  /** Notes that the new one has all. */
  keep(): Promise<void>;
  /** Deletes what is filled or kept, never what readers see. */
  drop(): Promise<void>;
}
