import type { ClientBase } from 'pg';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { Catalog } from '../../connectors/postgres/catalog.ts';
import { someonesCondition, sourceRowsOf, subjectCatalog } from '../../connectors/postgres/subject-rows.ts';
import { keyedTable, lookForRows, requestRows } from '../../connectors/row-reread.ts';
import type { Inventory } from '../../erasure/inventory.ts';
import type { OpenErasure } from '../../erasure/runner.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { decodeRecordKey, encodeRecordKey } from '../../schemas/record-key.ts';
import { datasetsOf, type ErasureContext, typesOf } from './context.ts';
import { recordKeysOf } from './inventoried.ts';

const rowsOfALook = 500;

/**
 * Records of each person whose row at the source is somebody else's by now: it changed hands after it was noted whose it was, and the tombstone
 * is newer than that change. Those rows are read again, and come as newer than the tombstone. To be asked when that is written, and the rows at
 * the source are cleared; whoever is cut short asks again. A row whose key is hashed is found where the source led to it at the inventory.
 */
export async function rereadRowsOfOthers(
  context: ErasureContext,
  erasures: readonly OpenErasure[],
): Promise<Inventory['others'][]> {
  const { config } = context.project;
  const others: Inventory['others'][] = erasures.map(() => []);
  await withSource(config.postgres, async (client) => {
    for (const dataset of datasetsOf(context, typesOf(erasures))) {
      const found = await rereadIn(context, client, dataset, erasures);
      for (const [i, keys] of found) {
        const records = await recordKeysOf(context, dataset, keys);
        others[i]!.push(...records.map((key) => ({ table: dataset.table, key })));
      }
    }
  });
  return others;
}

/** Keys of such rows of one table as the source has them, by the number of the erasure. */
async function rereadIn(
  { project: { config, catalog }, say }: ErasureContext,
  client: ClientBase,
  dataset: Dataset,
  erasures: readonly OpenErasure[],
): Promise<ReadonlyMap<number, (readonly string[])[]>> {
  const asked = [...keysOf(dataset, erasures)];
  if (asked.length === 0) return new Map();
  const tables = await subjectCatalog(client, dataset);
  const own = new Map<number, ReadonlySet<string>>();
  const found = new Map<number, (readonly string[])[]>();
  const keyed = keyedTable(dataset, catalog.tables.get(dataset.table)!);
  for (let from = 0; from < asked.length; from += rowsOfALook) {
    const some = asked.slice(from, from + rowsOfALook);
    const look = await lookForRows(
      client,
      keyed,
      some.map(([key]) => decodeRecordKey(key)),
      // One whose path leads nowhere any more, since the person's own rows are gone, is nobody else's.
      someonesCondition({ table: dataset.table, subject: dataset.subject! }, tables, 't'),
    );
    const rows = [];
    for (const [n, row] of look.rows.entries()) {
      if (!row.present) continue;
      const [key, i] = some[n]!;
      if (!own.has(i)) own.set(i, await keysAtSource(client, dataset, tables, erasures[i]!));
      if (own.get(i)!.has(key)) continue;
      rows.push(row);
      found.set(i, [...(found.get(i) ?? []), row.key]);
    }
    if (rows.length === 0) continue;
    say(`having ${rows.length} rows of others in ${dataset.table} read again`);
    await requestRows(client, config, keyed, { ...look, rows });
  }
  return found;
}

/** What is known of the persons' keys in the form that the source has them in, each with the number of the erasure. */
function keysOf(dataset: Dataset, erasures: readonly OpenErasure[]): ReadonlyMap<string, number> {
  const { table } = dataset;
  const isClear = dataset.key.every(({ rule }) => rule.action === 'keep');
  const keys = new Map<string, number>();
  for (const [i, { inventory }] of erasures.entries()) {
    for (const key of inventory.sourceKeys[table] ?? []) keys.set(key, i);
    if (isClear) for (const record of inventory.records) if (record.table === table) keys.set(record.key, i);
  }
  return keys;
}

/** Rows that are the person's still: what the contract leaves at the source. */
async function keysAtSource(
  client: ClientBase,
  dataset: Dataset,
  catalog: Catalog,
  { inventory }: OpenErasure,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const batch of sourceRowsOf(client, dataset, inventory.subject.id, { catalog }))
    for (const { key } of batch) keys.add(encodeRecordKey(key));
  return keys;
}
