import { masterOpener } from '../keys/master/open-master.ts';
import { rereadIsDue } from '../connectors/postgres/applied-contracts.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { buryRows } from '../repair/bury-rows.ts';
import { PartComparison } from '../repair/compare-part.ts';
import type { ExtraRow } from '../repair/reconcile-table.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import type { Version } from '../schemas/version.ts';
import { readOlderRecords } from './older-records.ts';

/**
 * Rows of the clean topic that no rereading can come to: they are gone from the source, and nobody was told of their delete, as while the table
 * was not in the publication. Before all rows have been read again also those whose delete is on its way.
 */
export async function rowsGone(config: Config, dataset: Dataset): Promise<ExtraRow[]> {
  const { last: older } = await readOlderRecords(config, dataset);
  if (older.size === 0) return [];
  const there = await keysAtSource(config, dataset, older);
  return [...older].filter(([key]) => !there.has(key)).map(([key, above]) => ({ key, above }));
}

/** Deletes them from the topic, from where the stores learn it; how many. To be called when all rows have been read again. */
export async function buryRowsGone(config: Config, dataset: Dataset): Promise<number> {
  const gone = await rowsGone(config, dataset);
  if (gone.length === 0) return 0;
  await buryRows(createKafka(config, 'apply'), config, dataset, gone);
  const back = await keysAtSource(config, dataset, new Map(gone.map(({ key, above }) => [key, above])));
  // One that came at that moment may stand before its tombstone.
  if (back.size > 0) await withSource(config.postgres, (client) => rereadIsDue(client, config, dataset));
  return gone.length;
}

async function keysAtSource(
  config: Config,
  dataset: Dataset,
  keys: ReadonlyMap<string, Version>,
): Promise<ReadonlySet<string>> {
  const comparison = new PartComparison(config, dataset.contract, masterOpener(config));
  try {
    const { rows } = await comparison.expected({ holds: (key) => keys.has(key) });
    return new Set(rows.keys());
  } finally {
    await comparison.close();
  }
}
