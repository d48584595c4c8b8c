import { rereadIsDue } from '../connectors/postgres/applied-contracts.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { createKafka } from '../pipeline/kafka.ts';
import { readTopics } from '../pipeline/read-topics.ts';
import { buryRows } from '../repair/bury-rows.ts';
import { PartComparison } from '../repair/compare-part.ts';
import type { ExtraRow } from '../repair/reconcile-table.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { cleanTopic } from '../schemas/names.ts';
import { header } from '../schemas/record-headers.ts';
import { parseVersion, type Version, zeroVersion } from '../schemas/version.ts';

/**
 * Rows of the clean topic that no rereading can come to: they are gone from the source, and nobody was told of their delete, as while the table
 * was not in the publication. Before all rows have been read again also those whose delete is on its way.
 */
export async function rowsGone(config: Config, dataset: Dataset): Promise<ExtraRow[]> {
  const older = await olderKeys(config, dataset);
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
  const comparison = new PartComparison(config, dataset.contract);
  try {
    const { rows } = await comparison.expected({ holds: (key) => keys.has(key) });
    return new Set(rows.keys());
  } finally {
    await comparison.close();
  }
}

/** Keys whose last record in the topic is under an older contract, with its version. */
async function olderKeys(config: Config, dataset: Dataset): Promise<ReadonlyMap<string, Version>> {
  const older = new Map<string, Version>();
  await readTopics(createKafka(config, 'apply'), [cleanTopic(config, dataset.table)], ({ message }) => {
    const key = String(message.key);
    const text = (name: string): string => String(message.headers?.[name] ?? '');
    if (message.value !== null && text(header.contract) !== dataset.digest) {
      older.set(key, parseVersion(text(header.version)) ?? zeroVersion);
    } else older.delete(key);
  });
  return older;
}
