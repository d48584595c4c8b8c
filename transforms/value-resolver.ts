import type { SourceValue } from './encode-value.ts';

/** A row whose values are to be read. */
export interface RowToRead {
  /** Canonical texts in key order. */
  readonly key: readonly string[];
  /** The change's own transaction, as far as the event says it. */
  readonly txId: bigint | undefined;
}

/** A row as it is at the source. */
export interface FoundRow {
  /** By column; a fixed-size value that change events print in another form is not among them. */
  readonly values: ReadonlyMap<string, SourceValue>;
  /** The lowest 32 bits of the transaction that wrote the row, or of one within it. */
  readonly writtenBy: bigint;
}

/** Was the row written by a later transaction than this one? They are less than 2^31 apart. */
export function isNewer(row: FoundRow, txId: bigint | undefined): boolean {
  if (txId === undefined) return true;
  const ahead = (row.writtenBy - txId) & 0xffff_ffffn;
  return ahead > 0n && ahead < 0x8000_0000n;
}

/** How much memory the values take, roughly. */
export function bytesOf(row: FoundRow | null): number {
  let bytes = 0;
  for (const value of row?.values.values() ?? []) {
    bytes += Array.isArray(value)
      ? value.reduce<number>((sum, item: string | null) => sum + (item?.length ?? 0), 0)
      : (value?.length ?? 0);
  }
  return bytes;
}

/**
 * Reads values at the source: of an unchanged TOAST value, and of columns that are not in the change events. A newer value is safe,
 * since its own change event follows; an older one is not, so the read must see the changes' own transactions.
 */
export interface ValueResolver {
  /**
   * Current values of the columns, in the rows' order; null for a row that is gone. Fails with UNREACHABLE when the source does not
   * answer, with VALUE_UNRESOLVED when a column is gone, with SCHEMA_UNEXPECTED when it has another type.
   */
  read(
    table: string,
    rows: readonly RowToRead[],
    columns: readonly string[],
  ): Promise<readonly (FoundRow | null)[]>;
}
