/** Counts of one process by table and kind (`clean`, `dead`, `written`, `stale`, a skip reason, ...), for views and metrics. */
export class Counters {
  private readonly counts = new Map<string, Map<string, number>>();

  add(table: string, kind: string, n: number): void {
    if (n === 0) return;
    const kinds = this.counts.get(table) ?? new Map<string, number>();
    this.counts.set(table, kinds);
    kinds.set(kind, (kinds.get(kind) ?? 0) + n);
  }

  /** Sum over all tables. */
  total(kind: string): number {
    let sum = 0;
    for (const kinds of this.counts.values()) sum += kinds.get(kind) ?? 0;
    return sum;
  }

  toJSON(): Record<string, Record<string, number>> {
    return Object.fromEntries([...this.counts].map(([table, kinds]) => [table, Object.fromEntries(kinds)]));
  }
}
