import type { OpenErasure } from '../../erasure/runner.ts';
import type { LookupCipher } from '../../pipeline/lookup.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { decodeRecordKey } from '../../schemas/record-key.ts';
import { keysIn } from './context.ts';

/** What rows are called where others look them up, by table. */
export type LookupDigests = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * What the persons' rows are called in lookup topics, and by rows that wait for them: those at the source before any went, and, where a record's
 * key is the row's own, those of the index, which knows rows that were gone by then.
 */
export async function personLookups(
  datasets: readonly Dataset[],
  cipher: LookupCipher,
  erasures: readonly OpenErasure[],
): Promise<LookupDigests> {
  const lookedUp = datasets.filter(({ facts }) => facts.length > 0);
  await cipher.load(lookedUp.map(({ table }) => table));
  return new Map(
    lookedUp.map(({ table, key }) => {
      const isClear = key.every(({ rule }) => rule.action === 'keep');
      const keys = [...sourceKeysIn(erasures, table), ...(isClear ? keysIn(erasures, table) : [])];
      return [table, new Set(keys.map((own) => cipher.digest(table, decodeRecordKey(own)[0]!)))];
    }),
  );
}

/** Keys of the persons' rows at the source, in the form of record keys. */
export function sourceKeysIn(erasures: readonly OpenErasure[], table: string): string[] {
  return erasures.flatMap(({ inventory }) => inventory.sourceKeys[table] ?? []);
}
