import type { ColumnCheck } from '../rules/table-check.ts';

export type PlaceName = 'clean topic' | 'elasticsearch' | 'clickhouse';

/** A row as a place holds it; its values are still in the place's own form. */
export interface PlaceRow {
  /** Canonical key. */
  readonly key: string;
  /** Column name -> value. What is not the row's own (`_lethe`, …) is left out. */
  readonly cells: ReadonlyMap<string, unknown>;
  /** Names of what is wrong with the row beside its columns, for example `_id`. */
  readonly faults: readonly string[];
  /** The version that the place says it has of the row, in the place's own form. */
  readonly version?: string;
}

/** How a place writes values; each function throws where a value has another form. */
export interface PlaceForm {
  readonly place: PlaceName;
  /** Normal form of a value that is kept. */
  normal(column: ColumnCheck, value: unknown): string;
  /** A masked value or a pseudonym. */
  text(value: unknown): string;
  /** An encrypted value. */
  bytes(value: unknown): Buffer;
  /** True where the place has no null for arrays, so that an empty one stands for it. */
  readonly emptyArrayIsNull: boolean;
}
