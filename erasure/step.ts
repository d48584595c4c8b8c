/** What an erasure goes through, in this order; each may be done again and does no harm then. */
export const erasureSteps = [
  /** Nothing speaks against it: no hold, every table can be reached. */
  'checked',
  /** Where everything of the person is, sealed under a key of the request's own. */
  'inventoried',
  /** Nothing new of the person passes any more, in any process. */
  'suppressed',
  /** What the law has to be kept is made anew under an id drawn by lot, and a key of its own. */
  'retained',
  'source-cleared',
  'key-destroyed',
  /** A tombstone for each record, in each clean topic. */
  'tombstoned',
  'stores-cleared',
  'topics-compacted',
  'verified',
  'certified',
] as const;
export type ErasureStep = (typeof erasureSteps)[number];

/** The step after; undefined after the last. */
export function stepAfter(step: ErasureStep): ErasureStep | undefined {
  return erasureSteps[erasureSteps.indexOf(step) + 1];
}

/** May a request that stands before this step still be taken back? Not from where the key may be gone. */
export function isRevocable(step: ErasureStep): boolean {
  return erasureSteps.indexOf(step) < erasureSteps.indexOf('key-destroyed');
}

/** Counts, names and positions that show what a step did; never a value nor a person's id. */
export type Evidence = Readonly<Record<string, string | number>>;

/** A step that was done. */
export interface DoneStep {
  readonly step: ErasureStep;
  /** ISO 8601, by the key store's clock. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** The failed ones included. */
  readonly attempts: number;
  readonly evidence: Evidence;
}
