import type { SourceValue } from './encode-value.ts';

/**
 * Reads values back from the source, to resolve an unchanged TOAST value. A newer value is safe, since its own change
 * event follows; an older one is not, so the read must see the change's own transaction.
 */
export interface ValueResolver {
  /**
   * Current values of columns of the row with this key (canonical texts in key order), or null if the row is gone.
   * Fails with UNREACHABLE when the source does not answer.
   */
  read(
    table: string,
    key: readonly string[],
    columns: readonly string[],
    txId: bigint | undefined,
  ): Promise<ReadonlyMap<string, SourceValue> | null>;
}
