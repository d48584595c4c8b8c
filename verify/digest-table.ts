import { hash } from 'node:crypto';
import { CellValues } from './cell-values.ts';
import { digestBytes, eachExpectedRow, normalDigest } from './expected-table.ts';
import type { KeyRing } from './key-ring.ts';
import { emptyArrayDigest, reasonToDiffer, standsIn } from './place-comparison.ts';
import type { PostgresOptions } from './postgres.ts';
import { RangeDigests } from './range-digests.ts';
import type { PlaceForm, PlaceRow } from './readers/place-row.ts';
import type { Contract } from '../schemas/contract.ts';
import type { Ciphertext } from './rules/ciphertext.ts';
import { isArray } from './rules/kind.ts';
import { type ColumnCheck, type TableCheck, usesKeys } from './rules/table-check.ts';

/** What the source must have given each place, by ranges, and what it takes to read the places. */
export interface DigestedSource {
  readonly check: TableCheck;
  /** Rows at the source. */
  readonly rows: number;
  readonly places: readonly RangeDigests[];
  /** Subjects of the rows, by what their keys are found by. */
  readonly subjects: ReadonlyMap<string, string>;
}

/** Digests every row of the table as each of the forms must have it, in one pass over one snapshot. */
export async function digestSource(
  source: PostgresOptions,
  contract: Contract,
  keys: () => Promise<KeyRing>,
  forms: readonly PlaceForm[],
  ranges: number,
): Promise<DigestedSource> {
  const places = forms.map(() => new RangeDigests(ranges));
  const subjects = new Map<string, string>();
  const known = new Set<string>();
  const ring = usesKeys(contract) ? await keys() : undefined;
  let rows = 0;
  const shown = new Map<PlaceForm, readonly number[]>();
  const check = await eachExpectedRow(source, contract, keys, {}, (key, { digests, subject }, table) => {
    rows++;
    if (ring && table.subject && subject !== null && !known.has(subject)) {
      known.add(subject);
      subjects.set(ring.digestOf(table.subject.type, subject), subject);
    }
    for (const [i, form] of forms.entries()) {
      let columns = shown.get(form);
      if (!columns) shown.set(form, (columns = columnsIn(table, form)));
      const cells = columns.map((place) =>
        cellDigest(
          form,
          table.columns[place]!,
          digests.subarray(place * digestBytes, (place + 1) * digestBytes),
          subject,
        ),
      );
      places[i]!.add(key, Buffer.concat(cells));
    }
  });
  return { check, rows, places, subjects };
}

/** Digests rows of a place, for what {@link digestSource} says of it. */
export class PlaceDigester {
  readonly digests: RangeDigests;
  readonly #form: PlaceForm;
  readonly #source: DigestedSource;
  readonly #keys: KeyRing | undefined;
  readonly #cells: CellValues;
  readonly #columns: readonly ColumnCheck[];
  readonly #names: ReadonlySet<string>;

  constructor(form: PlaceForm, source: DigestedSource, keys: KeyRing | undefined, ranges: number) {
    this.digests = new RangeDigests(ranges);
    this.#form = form;
    this.#source = source;
    this.#keys = keys;
    this.#cells = new CellValues(form, source.check, keys, () => true);
    this.#columns = columnsIn(source.check, form).map((place) => source.check.columns[place]!);
    this.#names = new Set(this.#columns.map(({ name }) => name));
  }

  take(row: PlaceRow): void {
    const cells = this.#columns.map((column) => this.#cell(row, column));
    // What a row has beside its columns is different from every row of the source.
    if (row.faults.length > 0 || [...row.cells.keys()].some((name) => !this.#names.has(name))) {
      cells.push(normalDigest('unexpected'));
    }
    this.digests.add(row.key, Buffer.concat(cells));
  }

  #cell(row: PlaceRow, column: ColumnCheck): Buffer {
    const value = row.cells.get(column.name) ?? null;
    if (value === null) return normalDigest(null);
    let subject: string | null = null;
    const owner = (ciphertext: Ciphertext): string | null => {
      subject = this.#source.subjects.get(this.#keys?.ownerOf(ciphertext) ?? '') ?? null;
      return subject;
    };
    try {
      const normal = this.#cells.normal(row.key, owner, column, value);
      return cellDigest(this.#form, column, normalDigest(normal), subject);
    } catch (error) {
      return normalDigest(`not to be read: ${reasonToDiffer(error)}`);
    }
  }
}

function columnsIn({ columns }: TableCheck, { place }: PlaceForm): readonly number[] {
  return columns.flatMap((column, i) => (standsIn(column, place) ? [i] : []));
}

/** What stands for a value: with its subject where it is encrypted, since the same value under another's key is another one. */
function cellDigest(
  form: PlaceForm,
  { kind, rule }: ColumnCheck,
  normal: Buffer,
  subject: string | null,
): Buffer {
  if (rule.action === 'encrypt') {
    if (normal.equals(normalDigest(null))) return normal;
    return hash('sha256', Buffer.concat([normal, Buffer.from(subject ?? '')]), 'buffer').subarray(
      0,
      digestBytes,
    );
  }
  return form.emptyArrayIsNull && isArray(kind) && normal.equals(emptyArrayDigest)
    ? normalDigest(null)
    : normal;
}
