import { setTimeout as sleep } from 'node:timers/promises';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { sourceRowsOf } from '../../connectors/postgres/subject-rows.ts';
import { keyedTable, lookForRows, requestRows } from '../../connectors/row-reread.ts';
import { keyLeaseMs } from '../../keys/postgres-key-store.ts';
import type { Project } from '../project.ts';
import type { Subject } from '../subject.ts';

/** More than the grain of timers. */
const graceMs = 100;
const rowsOfARequest = 200;

/**
 * Has Debezium read the rows of a person again who may pass again, once every process knows it, a lease after the suppression was lifted. They come
 * as newer than the tombstones, under the key that the person had. Says how many rows were asked for.
 */
export async function readAgain(
  { config, datasets, catalog }: Project,
  subject: Subject,
  { say, signal }: { readonly say: (text: string) => void; readonly signal?: AbortSignal },
): Promise<number> {
  await sleep(keyLeaseMs + graceMs, undefined, signal ? { signal } : {});
  let rows = 0;
  for (const dataset of datasets.filter((own) => own.subject?.type === subject.type)) {
    const sourceKeys: (readonly string[])[] = [];
    await withSource(config.postgres, async (client) => {
      for await (const batch of sourceRowsOf(client, dataset, subject.id))
        sourceKeys.push(...batch.map(({ key }) => key));
    });
    if (sourceKeys.length === 0) continue;
    say(`having ${sourceKeys.length} rows of ${dataset.table} read again`);
    const keyed = keyedTable(dataset, catalog.tables.get(dataset.table)!);
    await withSource(config.postgres, async (client) => {
      for (let from = 0; from < sourceKeys.length; from += rowsOfARequest) {
        const look = await lookForRows(client, keyed, sourceKeys.slice(from, from + rowsOfARequest));
        await requestRows(client, config, keyed, look);
      }
    });
    rows += sourceKeys.length;
  }
  return rows;
}
