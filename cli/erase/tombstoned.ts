import type { StepWork } from '../../erasure/runner.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { buryRows } from '../../repair/bury-rows.ts';
import { parseVersion } from '../../schemas/version.ts';
import { countRecords, datasetsOf, type ErasureContext, typesOf } from './context.ts';
import { rereadRowsOfOthers } from './rows-of-others.ts';

/** Records of one send. */
const atOnce = 5_000;

/**
 * A tombstone for each record of the persons, in every clean topic, above all that was there when nothing passed any more. A record that is
 * somebody else's by now comes again after it.
 */
export function tombstonedWork(context: ErasureContext): StepWork {
  const { config } = context.project;
  return async (erasures) => {
    const kafka = createKafka(config, 'erase');
    for (const dataset of datasetsOf(context, typesOf(erasures))) {
      const rows = erasures.flatMap(({ inventory }) => {
        const above = parseVersion(inventory.barrier!)!;
        return inventory.records
          .filter(({ table }) => table === dataset.table)
          .map(({ key }) => ({ key, above }));
      });
      for (let from = 0; from < rows.length; from += atOnce) {
        await buryRows(kafka, config, dataset, rows.slice(from, from + atOnce));
      }
    }
    const others = await rereadRowsOfOthers(context, erasures);
    return erasures.map((erasure, i) => {
      const { records, tables } = countRecords(erasure);
      const theirs = new Set(others[i]!.map(({ table, key }) => `${table}\n${key}`));
      const own = erasure.inventory.records.filter(({ table, key }) => !theirs.has(`${table}\n${key}`));
      return {
        evidence: { tombstones: records, topics: tables, rowsOfOthers: others[i]!.length },
        inventory: { ...erasure.inventory, records: own, others: others[i]! },
      };
    });
  };
}
