import { randomBytes } from 'node:crypto';
import type { ClientBase } from 'pg';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { Catalog } from '../../connectors/postgres/catalog.ts';
import { sourceRowsOf, subjectCatalog } from '../../connectors/postgres/subject-rows.ts';
import type { Inventory } from '../../erasure/inventory.ts';
import type { OpenErasure, StepWork } from '../../erasure/runner.ts';
import { recordsOf } from '../../erasure/subject-index.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { PartComparison } from '../../repair/compare-part.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { masterOpener } from '../../keys/master/open-master.ts';
import { datasetsOf, type ErasureContext, typesOf } from './context.ts';
import { eventIdsOf } from './event-ids.ts';
import { marksOf } from './subject-marks.ts';
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
  return async (erasures) => {
    const found = await findRecords(context, erasures);
    const events = await findEvents(context, erasures, found);
    return erasures.map(({ inventory }, i) => {
      const { records, values: own, sourceRows, sourceKeys, marks } = found[i]!;
      const values = [...events[i]!, ...own].slice(0, mostValues);
      const rows = Object.values(sourceRows).reduce((sum, count) => sum + count, 0);
      const evidence = { records: records.length, rowsAtTheSource: rows, values: values.length };
      const lot = randomBytes(32).toString('base64');
      return { evidence, inventory: { ...inventory, records, values, sourceRows, sourceKeys, marks, lot } };
    });
  };
}

type AtSource = Pick<Inventory, 'records' | 'values' | 'sourceRows' | 'sourceKeys'>;
type Found = AtSource & Pick<Inventory, 'marks'>;

/** Over one connection to each database, which many persons share. */
async function findRecords(context: ErasureContext, erasures: readonly OpenErasure[]): Promise<Found[]> {
  const { config } = context.project;
  return withSource(config.postgres, (source) =>
    withKeyStore(config, async (keyStore) => {
      const catalogs = new Map<string, Catalog>();
      for (const dataset of datasetsOf(context, typesOf(erasures)))
        catalogs.set(dataset.table, await subjectCatalog(source, dataset));
      const all: Found[] = [];
      for (const { request, inventory } of erasures) {
        const { type, digest } = request.subject;
        const datasets = datasetsOf(context, new Set([type]));
        const indexed = await recordsOf(keyStore, type, digest, 'gone');
        const found = await readSource(context, source, catalogs, datasets, inventory.subject.id);
        const marks = await marksOf(context, datasets, inventory.subject);
        all.push({ ...found, marks, records: distinct([...indexed, ...found.records]) });
      }
      return all;
    }),
  );
}

/** Ids of the last changes of each person's records: they are asked for by table, for all persons at once. */
async function findEvents(
  context: ErasureContext,
  erasures: readonly OpenErasure[],
  found: readonly Found[],
): Promise<Values[]> {
  const events: Values[] = erasures.map(() => []);
  for (const dataset of datasetsOf(context, typesOf(erasures))) {
    const keysOf = ({ records }: Found) =>
      records.filter(({ table }) => table === dataset.table).map(({ key }) => key);
    const ids = await eventIdsOf(context.project.config, dataset, [...new Set(found.flatMap(keysOf))]);
    for (const [i, own] of found.entries()) {
      for (const id of keysOf(own).flatMap((key) => ids.get(key) ?? [])) {
        const bytes = Buffer.from(id).toString('base64');
        events[i]!.push({ table: dataset.table, column: eventColumn, bytes });
      }
    }
  }
  return events;
}

/** The persons' rows as they are: their keys as consumers see them, and values that no consumer may see. */
async function readSource(
  context: ErasureContext,
  client: ClientBase,
  catalogs: ReadonlyMap<string, Catalog>,
  datasets: readonly Dataset[],
  subjectId: string,
): Promise<AtSource> {
  const records: Records = [];
  const values: Values = [];
  const sourceRows: Inventory['sourceRows'] = {};
  const sourceKeys: Inventory['sourceKeys'] = {};
  for (const dataset of datasets) {
    const { table } = dataset;
    const telling = dataset.columns.filter(isTelling).map(({ name }) => name);
    const keys: (readonly string[])[] = [];
    const asked = { columns: telling, catalog: catalogs.get(table)! };
    for await (const batch of sourceRowsOf(client, dataset, subjectId, asked)) {
      for (const row of batch) {
        keys.push(row.key);
        for (const column of telling) {
          const bytes = Buffer.from(row.values.get(column) ?? '');
          if (bytes.length >= leastBytes) values.push({ table, column, bytes: bytes.toString('base64') });
        }
      }
    }
    sourceRows[table] = keys.length;
    sourceKeys[table] = keys.map((parts) => encodeRecordKey(parts));
    for (const key of await recordKeysOf(context, dataset, keys)) records.push({ table, key });
  }
  return { records, values, sourceRows, sourceKeys };
}

/** Does the column hold texts that are one person's alone? What others say or have too would be found for ever. */
function isTelling({ rule, source }: Dataset['columns'][number]): boolean {
  return source === 'text' && rule.action !== 'keep' && unique.has(rule.classification);
}
const unique: ReadonlySet<string> = new Set(['person.contact', 'person.national-id', 'payment.card']);

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
