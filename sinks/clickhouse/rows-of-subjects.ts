import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase } from '../../schemas/names.ts';
import type { Waiting } from '../removal.ts';
import type { FoundBySubject, SubjectMarks } from '../subject-marks.ts';
import { qualified, takeBack } from './mutation.ts';
import { ownTables } from './own-tables.ts';
import { countOf, removeDoomed } from './remove-rows.ts';
import { SubjectBatch } from './subject-batch.ts';
import { readTable } from './table-state.ts';

/**
 * Looks for rows of persons by what stands in them, in the tables of all generations and of a rebuilding, and takes those that are found off
 * the disk: rows under keys that no index has, which somebody else wrote. Sinks must have written every tombstone before, and the persons be
 * suppressed: nothing of theirs comes any more. The same promises as {@link removeOlderRows}.
 */
export async function removeRowsOfSubjects(
  client: ClickHouseClient,
  config: Pick<Config, 'name' | 'topics' | 'clickhouse'>,
  dataset: Dataset,
  marks: SubjectMarks,
  batchId: string,
  waiting: Waiting,
): Promise<FoundBySubject[]> {
  const database = clickhouseDatabase(config);
  const tables = await ownTables(client, config, dataset.table);
  const batch = new SubjectBatch(client, database, sinkDataset(dataset, 'clickhouse'), batchId);
  for (const { name: table } of tables) await takeBack(client, { database, table }, batch.mark);
  try {
    await batch.write(marks);
    const all: FoundBySubject[] = [];
    for (const { name } of tables) {
      const place = { database, table: name };
      const tellers = batch.tellers((await readTable(client, database, name))?.columns ?? new Map());
      const rows = `${qualified(place)} WHERE _lethe_deleted = 0`;
      let [found, controls] = [0, 0];
      if (tellers.length > 0) {
        await batch.doom(name, tellers);
        found = await countOf(client, batch.doomed);
        if (found > 0) await removeDoomed(client, place, batch, waiting);
        controls = await countOf(client, batch.others(name, tellers));
      }
      all.push({ name, records: await countOf(client, rows), found, controls });
    }
    return all;
  } finally {
    await batch.drop();
  }
}
