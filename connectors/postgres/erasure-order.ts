/** One table must be done before another: its rows refer to the other's, or are found by them. */
export interface OrderEdge {
  readonly before: string;
  readonly after: string;
  /** The constraint that asks for it, as SQL writes it; none where rows are only found by the other's. */
  readonly constraint?: string;
  /** What happens otherwise: `handled`, Postgres does it itself; `deferrable`, it can look at the end; `hard`, it refuses. */
  readonly otherwise: 'handled' | 'deferrable' | 'hard';
  /** Columns that can be set to null beforehand, so that nothing refers any more. */
  readonly nullable?: readonly string[];
}

/** In which order tables are done, and what has to be done so that there is one. */
export interface ErasureOrder {
  /** Empty if there is none. */
  readonly order: readonly string[];
  /** Constraints that are to be looked at when all is done. */
  readonly deferred: readonly string[];
  /** References that are to be set to null before anything else. */
  readonly cut: readonly OrderEdge[];
  /** Tables that wait for each other for good. */
  readonly circle: readonly string[];
}

/**
 * Orders tables so that all edges hold. Where they go in a circle it is opened at the reference that costs least: one that Postgres
 * handles itself, then one that it can look at in the end, then one that can be set to null.
 */
export function erasureOrder(tables: readonly string[], edges: readonly OrderEdge[]): ErasureOrder {
  let left = edges.filter(({ before, after }) => before !== after);
  const deferred: string[] = [];
  const cut: OrderEdge[] = [];
  const order: string[] = [];
  const waiting = [...tables];
  while (waiting.length > 0) {
    const next = waiting.findIndex((table) =>
      left.every(({ before, after }) => after !== table || !waiting.includes(before)),
    );
    if (next >= 0) {
      order.push(...waiting.splice(next, 1));
      continue;
    }
    const open = left.filter(({ before, after }) => waiting.includes(before) && waiting.includes(after));
    const inCircle = open.filter(({ before, after }) => leads(after, before, open));
    const opened = cheapest(inCircle);
    if (!opened) {
      const circle = [...new Set(inCircle.flatMap(({ before, after }) => [before, after]))];
      return { order: [], deferred: [], cut: [], circle };
    }
    left = left.filter((edge) => edge !== opened);
    if (opened.otherwise === 'deferrable') deferred.push(opened.constraint!);
    if (opened.otherwise === 'hard') cut.push(opened);
  }
  return { order, deferred: [...new Set(deferred)], cut, circle: [] };
}

function cheapest(edges: readonly OrderEdge[]): OrderEdge | undefined {
  return (
    edges.find(({ otherwise }) => otherwise === 'handled') ??
    edges.find(({ otherwise }) => otherwise === 'deferrable') ??
    edges.find(({ nullable }) => nullable !== undefined && nullable.length > 0)
  );
}

function leads(from: string, to: string, edges: readonly OrderEdge[]): boolean {
  const seen = new Set<string>();
  const visit = (table: string): boolean => {
    if (table === to) return true;
    if (seen.has(table)) return false;
    seen.add(table);
    return edges.some(({ before, after }) => before === table && visit(after));
  };
  return visit(from);
}
