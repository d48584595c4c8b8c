/**
 * What a change of contracts means for people: `exposes`: consumers learn of somebody what they did not learn before; `changes`:
 * they learn no more, and something else is not as it was; `protects`: they learn less.
 */
export const severities = ['exposes', 'changes', 'protects'] as const;
export type ChangeSeverity = (typeof severities)[number];

/** One difference between two versions of the contracts. */
export interface Change {
  /** `schema.table`. */
  readonly table: string;
  readonly column?: string;
  /** Path within the column's value. */
  readonly path?: string;
  readonly severity: ChangeSeverity;
  /** What stood there and what stands there now, in the words of the contract; null for nothing. */
  readonly from: string | null;
  readonly to: string | null;
  /** The same for a person. Made of names and options of contracts, never of values. */
  readonly sentence: string;
}

/** Tables with the worst first, then by name; in each the worst first, otherwise in the order in which they came. */
export function sortChanges(changes: readonly Change[]): Change[] {
  const worst = new Map<string, number>();
  for (const { table, severity } of changes) {
    worst.set(table, Math.min(worst.get(table) ?? severities.length, severities.indexOf(severity)));
  }
  return [...changes].sort(
    (a, b) =>
      worst.get(a.table)! - worst.get(b.table)! ||
      Number(a.table > b.table) - Number(a.table < b.table) ||
      severities.indexOf(a.severity) - severities.indexOf(b.severity),
  );
}
