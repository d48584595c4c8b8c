import { setTimeout as sleep } from 'node:timers/promises';
import { withSource } from '../connectors/postgres/source-client.ts';
import { sourceRowsOf } from '../connectors/postgres/subject-rows.ts';
import { keyedTable, lookForRows, requestRows } from '../connectors/row-reread.ts';
import { keyLeaseMs } from '../keys/postgres-key-store.ts';
import type { Project } from './project.ts';
import type { Subject } from './subject.ts';

/** More than the grain of timers. */
const graceMs = 100;
const rowsOfARequest = 200;

/**
 * Has the rows of a person who is suppressed no more read again: a lease later, when every process knows. They come as newer than the tombstones
 * that stand for them, under the key that they had. Returns how many rows were asked for.
 */
export async function rereadSubject(
  { config, datasets, catalog }: Project,
  { type, id }: Subject,
  { say, signal }: { readonly say: (text: string) => void; readonly signal?: AbortSignal },
): Promise<number> {
  await sleep(keyLeaseMs + graceMs, undefined, signal ? { signal } : {});
  let rows = 0;
  for (const dataset of datasets.filter(({ subject }) => subject?.type === type)) {
    const keyed = keyedTable(dataset, catalog.tables.get(dataset.table)!);
    await withSource(config.postgres, async (client) => {
      const keys: (readonly string[])[] = [];
      for await (const batch of sourceRowsOf(client, dataset, id)) keys.push(...batch.map(({ key }) => key));
      if (keys.length > 0) say(`having ${keys.length} rows of ${dataset.table} read again`);
      for (let from = 0; from < keys.length; from += rowsOfARequest) {
        const look = await lookForRows(client, keyed, keys.slice(from, from + rowsOfARequest));
        await requestRows(client, config, keyed, look);
      }
      rows += keys.length;
    });
  }
  return rows;
}
