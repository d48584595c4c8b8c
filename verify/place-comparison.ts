import { CellValues } from './cell-values.ts';
import { digestBytes, type ExpectedRow, type ExpectedTable, normalDigest } from './expected-table.ts';
import type { KeyRing } from './key-ring.ts';
import type { NonceLedger } from './nonce-ledger.ts';
import type { PlaceForm, PlaceName, PlaceRow } from './readers/place-row.ts';
import { parseCiphertext } from './rules/ciphertext.ts';
import { isArray } from './rules/kind.ts';
import { keyDigest } from './rules/record-key.ts';
import type { ColumnCheck } from './rules/table-check.ts';
import { VerifyError } from './verify-error.ts';

/** One row that is not as it must be. No value and no key stands here: only names and a digest of the key. */
export interface RowFinding {
  readonly kind: 'missing' | 'extra' | 'different';
  readonly keyDigest: string;
  /** Columns that differ, with why. */
  readonly columns: readonly { readonly name: string; readonly why: string }[];
}

export interface PlaceResult {
  readonly place: PlaceName;
  /** Rows at the source, rows found in the place; `compared` stand in both. */
  readonly counts: {
    readonly source: number;
    readonly found: number;
    readonly compared: number;
    readonly equal: number;
    readonly missing: number;
    readonly extra: number;
    readonly different: number;
  };
  /** Values compared, and how many of them were opened with their subject's key first. */
  readonly values: number;
  readonly decrypted: number;
  /** Column -> number of rows in which it differs. */
  readonly columns: ReadonlyMap<string, number>;
  /** The first of the findings: the counts are complete, this list is bounded. */
  readonly findings: readonly RowFinding[];
}

export interface PlaceContext {
  readonly expected: ExpectedTable;
  readonly keys: KeyRing | undefined;
  readonly ledger: Pick<NonceLedger, 'claim'>;
  /** Keys of rows that are kept by law: the source has none with such keys, and they are not compared. */
  readonly retained: ReadonlySet<string>;
  /** Called with every finding, with the row that it is about: its canonical key, and the row as the place has it. */
  readonly onFinding?: (finding: RowFinding, key: string, found: PlaceRow | undefined) => void;
}

const keptFindings = 50;
export const emptyArrayDigest = normalDigest('[]');
const nullNormal = normalDigest(null);

/** Compares a place's rows with what is expected, one by one, value by value. */
export class PlaceComparison {
  readonly #form: PlaceForm;
  readonly #context: PlaceContext;
  readonly #names: ReadonlySet<string>;
  readonly #cells: CellValues;
  readonly #encrypted: readonly string[];
  readonly #seen = new Set<ExpectedRow>();
  readonly #columns = new Map<string, number>();
  readonly #findings: RowFinding[] = [];
  #found = 0;
  #equal = 0;
  #extra = 0;
  #different = 0;
  #values = 0;

  constructor(form: PlaceForm, context: PlaceContext) {
    this.#form = form;
    this.#context = context;
    const columns = context.expected.check.columns.filter((column) => standsIn(column, form.place));
    this.#names = new Set(columns.map((column) => column.name));
    this.#encrypted = columns.flatMap(({ name, rule }) => (rule.action === 'encrypt' ? [name] : []));
    this.#cells = new CellValues(form, context.expected.check, context.keys, (key, column, ciphertext) =>
      context.ledger.claim(ciphertext, context.expected.check.table, key, column),
    );
  }

  take(row: PlaceRow): void {
    if (this.#context.retained.has(row.key)) return;
    this.#found++;
    const expected = this.#context.expected.rows.get(row.key);
    if (!expected || this.#seen.has(expected)) {
      this.#extra++;
      this.#note({ kind: 'extra', keyDigest: keyDigest(row.key), columns: [] }, row.key, row);
      return;
    }
    this.#seen.add(expected);
    const columns = row.faults.map((name) => ({ name, why: 'wrong' }));
    for (const [place, column] of this.#context.expected.check.columns.entries()) {
      if (!this.#names.has(column.name)) continue;
      const why = this.#compareCell(row, expected, column, place);
      if (why) columns.push({ name: column.name, why });
    }
    for (const [name, value] of row.cells) {
      if (!this.#names.has(name))
        columns.push({ name, why: value === null ? 'unexpected, null' : 'unexpected' });
    }
    if (columns.length === 0) {
      this.#equal++;
      return;
    }
    this.#different++;
    for (const { name } of columns) this.#columns.set(name, (this.#columns.get(name) ?? 0) + 1);
    this.#note({ kind: 'different', keyDigest: keyDigest(row.key), columns }, row.key, row);
  }

  /** A record that a later one replaced: its values are no longer compared, its nonces still count. */
  takeSuperseded(row: PlaceRow): void {
    for (const name of this.#encrypted) {
      const value = row.cells.get(name);
      if (value === null || value === undefined) continue;
      try {
        const fresh = this.#claim(row.key, name, this.#form.bytes(value));
        if (!fresh) this.#columns.set(name, (this.#columns.get(name) ?? 0) + 1);
        if (!fresh) this.#note(nonceFinding(row.key, name), row.key, row);
      } catch (error) {
        reasonToDiffer(error);
      }
    }
  }

  finish(): PlaceResult {
    const { rows } = this.#context.expected;
    const missing = rows.size - this.#seen.size;
    if (missing > 0) {
      for (const [key, row] of rows) {
        if (this.#findings.length >= keptFindings && !this.#context.onFinding) break;
        if (this.#seen.has(row)) continue;
        this.#note({ kind: 'missing', keyDigest: keyDigest(key), columns: [] }, key, undefined);
      }
    }
    return {
      place: this.#form.place,
      counts: {
        source: rows.size,
        found: this.#found,
        compared: this.#seen.size,
        equal: this.#equal,
        missing,
        extra: this.#extra,
        different: this.#different,
      },
      values: this.#values,
      decrypted: this.#cells.decrypted,
      columns: this.#columns,
      findings: this.#findings,
    };
  }

  /** Why the cell differs; undefined if it is as it must be. */
  #compareCell(row: PlaceRow, expected: ExpectedRow, column: ColumnCheck, place: number): string | undefined {
    this.#values++;
    const want = expected.digests.subarray(place * digestBytes, (place + 1) * digestBytes);
    const value = row.cells.get(column.name) ?? null;
    if (value === null) return want.equals(nullNormal) ? undefined : 'null';
    try {
      const found = normalDigest(this.#cells.normal(row.key, expected.subject, column, value));
      if (want.equals(found)) return undefined;
      const standsForNull =
        this.#form.emptyArrayIsNull && isArray(column.kind) && column.rule.action !== 'encrypt';
      if (standsForNull && want.equals(nullNormal) && found.equals(emptyArrayDigest)) return undefined;
      return want.equals(nullNormal) ? 'not null' : 'value';
    } catch (error) {
      return reasonToDiffer(error);
    }
  }

  #claim(key: string, column: string, bytes: Buffer): boolean {
    return this.#context.ledger.claim(
      parseCiphertext(bytes),
      this.#context.expected.check.table,
      key,
      column,
    );
  }

  #note(finding: RowFinding, key: string, found: PlaceRow | undefined): void {
    this.#context.onFinding?.(finding, key, found);
    if (this.#findings.length < keptFindings) this.#findings.push(finding);
  }
}

/** The topic has every column; a store has those that the contract does not keep from it. */
export function standsIn({ rule }: ColumnCheck, place: PlaceName): boolean {
  return place === 'clean topic' || (rule.sinks?.includes(place) ?? true);
}

function nonceFinding(key: string, column: string): RowFinding {
  return {
    kind: 'different',
    keyDigest: keyDigest(key),
    columns: [{ name: column, why: 'a nonce was used twice' }],
  };
}

/** A malformed value is a difference; anything else means that nothing was proved, and goes on up. */
export function reasonToDiffer(error: unknown): string {
  if (error instanceof VerifyError && error.code === 'DATA_MALFORMED') return error.message;
  throw error;
}
