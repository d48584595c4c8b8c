/** Reads for many rows at once; the answers stand in the rows' order. */
type ReadMany<R, V> = (rows: readonly R[], columns: readonly string[]) => Promise<readonly V[]>;

/** Rows that need the same columns, in the batch's order, and what the last query found for some of them. */
interface Group<R, V> {
  readonly columns: readonly string[];
  readonly rows: R[];
  found: ReadonlyMap<R, V>;
}

/** What a row needs, or why that cannot be told. */
type Need<R, V> = { readonly group: Group<R, V>; readonly place: number } | { readonly failure: unknown };

/** Rows of the first query, and of any: few of which nobody knows how long their values are, many where they are short. */
const firstRows = 16;
const mostRows = 500;
/** What a query is to find at most, going by the one before it. */
const wantedBytes = 4 * 1024 * 1024;

/**
 * What the rows of a batch need of the source, read as they are asked for, in their order: some rows that need the same columns in one
 * query, as many as their values are short.
 */
export class BatchReads<R, V> {
  private readonly groups = new Map<string, Group<R, V>>();
  private readonly needs = new Map<R, Need<R, V>>();
  private readonly readMany: ReadMany<R, V>;
  private readonly bytesOf: (value: V) => number;
  private rows = firstRows;

  constructor(readMany: ReadMany<R, V>, bytesOf: (value: V) => number) {
    this.readMany = readMany;
    this.bytesOf = bytesOf;
  }

  /** Says what each row will need, before any is asked for. A row that needs no column needs no read; a failure is the row's own. */
  plan(row: R, columnsOf: () => readonly string[]): void {
    try {
      const columns = columnsOf();
      if (columns.length === 0) return;
      const name = JSON.stringify(columns);
      const group: Group<R, V> = this.groups.get(name) ?? { columns, rows: [], found: new Map() };
      this.groups.set(name, group);
      this.needs.set(row, { group, place: group.rows.push(row) - 1 });
    } catch (failure) {
      this.needs.set(row, { failure });
    }
  }

  /** The columns that the row needs, and what there is of them; undefined if it needs none. A query that failed is tried again for the next row. */
  async of(row: R): Promise<{ readonly columns: readonly string[]; readonly values: V } | undefined> {
    const need = this.needs.get(row);
    if (!need) return undefined;
    if ('failure' in need) throw need.failure;
    const { group, place } = need;
    if (!group.found.has(row)) {
      const rows = group.rows.slice(place, place + this.rows);
      const answers = await this.readMany(rows, group.columns);
      group.found = new Map(rows.map((each, i) => [each, answers[i]!]));
      this.learn(answers);
    }
    return { columns: group.columns, values: group.found.get(row)! };
  }

  private learn(answers: readonly V[]): void {
    const bytes = answers.reduce((sum, value) => sum + this.bytesOf(value), 0);
    const fitting = Math.floor((answers.length * wantedBytes) / Math.max(1, bytes));
    this.rows = Math.max(1, Math.min(4 * this.rows, fitting, mostRows));
  }
}
