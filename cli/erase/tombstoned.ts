import type { StepWork } from '../../erasure/runner.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { buryRows } from '../../repair/bury-rows.ts';
import { parseVersion } from '../../schemas/version.ts';
import { countRecords, datasetsOf, type ErasureContext, typesOf } from './context.ts';

/** Records of one send. */
const atOnce = 5_000;

/** A tombstone for each record of the persons, in every clean topic, above all that was there when nothing passed any more. */
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
    return erasures.map((erasure) => {
      const { records, tables } = countRecords(erasure);
      return { evidence: { tombstones: records, topics: tables }, inventory: erasure.inventory };
    });
  };
}
