import { withSource } from '../../connectors/postgres/source-client.ts';
import { sourceRowsOf } from '../../connectors/postgres/subject-rows.ts';
import type { Inventory } from '../../erasure/inventory.ts';
import type { StepResult, StepWork } from '../../erasure/runner.ts';
import { recordsOf } from '../../erasure/subject-index.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { PartComparison } from '../../repair/compare-part.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { masterOpener } from '../../keys/master/open-master.ts';
import { datasetsOf, type ErasureContext } from './context.ts';
import { eventIdsOf } from './event-ids.ts';
import { eventColumn } from './verified.ts';

/** Shorter texts occur by chance, and are other people's too. */
const leastBytes = 8;
/** Values of a person that are looked for at the end. */
const mostValues = 500;

type Records = Inventory['records'];
type Values = Inventory['values'];

/**
 * Where everything of the persons is: their records by the index, and by the source, as long as it still leads from rows to persons; and what
 * is to be looked for at the end.
 */
export function inventoriedWork(context: ErasureContext): StepWork {
  const { config } = context.project;
  return async (erasures) => {
    const results: StepResult[] = [];
    for (const { request, inventory } of erasures) {
      const { type, digest } = request.subject;
      const datasets = datasetsOf(context, new Set([type]));
      const indexed = await withKeyStore(config, (client) => recordsOf(client, type, digest));
      const found = await readSource(context, datasets, inventory.subject.id);
      const records = distinct([...indexed, ...found.records]);
      const events: Values = [];
      for (const dataset of datasets) {
        const keys = records.filter(({ table }) => table === dataset.table).map(({ key }) => key);
        for (const id of await eventIdsOf(config, dataset, keys)) {
          events.push({
            table: dataset.table,
            column: eventColumn,
            bytes: Buffer.from(id).toString('base64'),
          });
        }
      }
      const values = [...events, ...found.values].slice(0, mostValues);
      const rows = Object.values(found.sourceRows).reduce((sum, own) => sum + own, 0);
      const evidence = { records: records.length, rowsAtTheSource: rows, values: values.length };
      results.push({ evidence, inventory: { ...inventory, records, values, sourceRows: found.sourceRows } });
    }
    return results;
  };
}

/** The persons' rows as they are: their keys as consumers see them, and values that no consumer may see. */
async function readSource(context: ErasureContext, datasets: readonly Dataset[], subjectId: string) {
  const records: Records = [];
  const values: Values = [];
  const sourceRows: Inventory['sourceRows'] = {};
  for (const dataset of datasets) {
    const { table } = dataset;
    const isProtected = dataset.columns.filter(({ rule }) => rule.action !== 'keep').map(({ name }) => name);
    const keys: (readonly string[])[] = [];
    await withSource(context.project.config.postgres, async (client) => {
      for await (const batch of sourceRowsOf(client, dataset, subjectId, { columns: isProtected })) {
        for (const row of batch) {
          keys.push(row.key);
          for (const column of isProtected) {
            const bytes = Buffer.from(row.values.get(column) ?? '');
            if (bytes.length >= leastBytes) values.push({ table, column, bytes: bytes.toString('base64') });
          }
        }
      }
    });
    sourceRows[table] = keys.length;
    for (const key of await recordKeysOf(context, dataset, keys)) records.push({ table, key });
  }
  return { records, values, sourceRows };
}

/** Keys as the contract has them. */
export async function recordKeysOf(
  { project: { config } }: Pick<ErasureContext, 'project'>,
  { key, contract }: Dataset,
  sourceKeys: readonly (readonly string[])[],
): Promise<string[]> {
  if (sourceKeys.length === 0) return [];
  if (key.every(({ rule }) => rule.action === 'keep'))
    return sourceKeys.map((parts) => encodeRecordKey(parts));
  const comparison = new PartComparison(config, contract, masterOpener(config));
  try {
    const { rows } = await comparison.expected({ holds: () => true, sourceKeys });
    return [...rows.keys()];
  } finally {
    await comparison.close();
  }
}

function distinct(records: Records): Records {
  return [...new Map(records.map((record) => [`${record.table}\n${record.key}`, record])).values()];
}
