import type { Client } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { versionToElasticsearch } from '../../schemas/version.ts';
import type { RemovedRows, Waiting } from '../removal.ts';
import { documentsHolding, type HeldDocument } from './documents-held.ts';
import { toLetheError } from './errors.ts';
import { type Expunged, expungeDeleted } from './expunge.ts';
import { readOwnIndexes } from './generations.ts';
import { refreshIndex } from './refresh.ts';

type Named = Pick<Config, 'name' | 'topics'>;

/** What was done, and is left, in one index; numbers alone. */
export interface RemovedFromIndex extends Expunged {
  readonly index: string;
  /** Documents under the keys that are older than their tombstones, which are to be there in their stead. */
  readonly documentsBefore: number;
  readonly documentsAfter: number;
}

const deletesOfARequest = 1_000;

/**
 * Takes all that is deleted or replaced off the disk, in the indexes of all generations and of a rebuilding. A tombstone stays: it is a
 * document like others. Where the sink has not written one yet, the document is left and counts in `documentsAfter`: deleted before its
 * tombstone is there it could come back. An index that was replaced, and that nobody writes to, gets none: there it is deleted.
 *
 * A second call does nothing more. Fails with SERVER_FAILED after the limit, which holds for each index.
 */
export async function removeDocuments(
  client: Client,
  config: Named,
  dataset: Dataset,
  rows: RemovedRows,
  waiting: Waiting,
): Promise<RemovedFromIndex[]> {
  const removed: RemovedFromIndex[] = [];
  for (const { name: index, role } of await readOwnIndexes(client, config, dataset.table)) {
    const held = await documentsHolding(client, index, rows);
    if (role === 'past' || role === 'kept') await deleteDocuments(client, index, held);
    const expunged = await expungeDeleted(client, index, waiting);
    const after = await documentsHolding(client, index, rows);
    removed.push({
      index,
      documentsBefore: held.length,
      documentsAfter: after.length,
      ...expunged,
    });
  }
  return removed;
}

/** What is still there of older documents under these keys, in all indexes; what is deleted and not merged yet does not count. */
export async function documentsLeft(
  client: Client,
  config: Named,
  dataset: Dataset,
  rows: RemovedRows,
): Promise<number> {
  let left = 0;
  for (const { name } of await readOwnIndexes(client, config, dataset.table)) {
    await refreshIndex(client, name);
    left += (await documentsHolding(client, name, rows)).length;
  }
  return left;
}

/** By their versions, so that what is newer stays. */
async function deleteDocuments(client: Client, index: string, held: readonly HeldDocument[]): Promise<void> {
  for (let from = 0; from < held.length; from += deletesOfARequest) {
    const lines = held.slice(from, from + deletesOfARequest).map(({ id, below }) => {
      const version = versionToElasticsearch(below);
      return `{"delete":{"_id":${JSON.stringify(id)},"version":${version},"version_type":"external_gte"}}\n`;
    });
    try {
      await client.transport.request({
        method: 'POST',
        path: `/${encodeURIComponent(index)}/_bulk`,
        // What is left is counted afterwards.
        querystring: { filter_path: 'took' },
        bulkBody: lines.join(''),
      });
    } catch (error) {
      throw toLetheError(error, `delete from ${index}`);
    }
  }
}
