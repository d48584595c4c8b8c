import type { SourceValue } from './encode-value.ts';

/** A row whose values are to be read. */
export interface RowToRead {
  /** Canonical texts in key order. */
  readonly key: readonly string[];
  /** The change's own transaction, as far as the event says it. */
  readonly txId: bigint | undefined;
}

/** A row's values by column, or null if there is no such row any more. */
export type RowValues = ReadonlyMap<string, SourceValue> | null;

/** How much memory the values take, roughly. */
export function bytesOf(values: RowValues): number {
  let bytes = 0;
  for (const value of values?.values() ?? []) {
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
   * Current values of the columns, in the rows' order. Fails with UNREACHABLE when the source does not answer, with
   * VALUE_UNRESOLVED when a column is gone, with SCHEMA_UNEXPECTED when it has another type.
   */
  read(table: string, rows: readonly RowToRead[], columns: readonly string[]): Promise<readonly RowValues[]>;
}
