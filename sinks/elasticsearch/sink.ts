import type { Client } from '@elastic/elasticsearch';
import type { CleanChange, Sink, Verdict } from '../../pipeline/sink.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { writeAlias } from '../../schemas/names.ts';
import { newestFirst } from '../newest-first.ts';
import { compileDocuments, type ToBulkLines } from './documents.ts';
import { sendBulk } from './send.ts';

/** A bulk request is cut when its body would pass this. */
const defaultMaxBulkBytes = 8 * 1024 * 1024;

/**
 * Writes through the alias of the index of one generation: readers have another, which may still stand for an older index.
 *
 * `alias` names another one instead, for all that is written.
 *
 * Of several changes of one key in a batch only the newest is sent: from the 1,024th change of a transaction on they have the same
 * 63-bit version, and a partial failure could otherwise let the older one win. When the newest is rejected the
 * one before it takes its place.
 */
export function createElasticsearchSink(
  config: Pick<Config, 'name' | 'topics'>,
  client: Client,
  options: { readonly maxBulkBytes?: number; readonly alias?: string } = {},
): Sink {
  const maxBulkBytes = options.maxBulkBytes ?? defaultMaxBulkBytes;
  const compiled = new WeakMap<Dataset, ToBulkLines>();

  function documentsOf(dataset: Dataset): ToBulkLines {
    let toLines = compiled.get(dataset);
    if (!toLines) compiled.set(dataset, (toLines = compileDocuments(dataset)));
    return toLines;
  }

  return {
    name: 'elasticsearch',
    async write(dataset, changes, generation) {
      const toLines = documentsOf(dataset);
      const alias = options.alias ?? writeAlias(config, dataset.table, generation);
      return await newestFirst(changes, async (candidates) => {
        const documents: string[] = [];
        const rejected = new Map<number, Verdict>();
        for (let i = 0; i < candidates.length; i++) {
          const lines = encode(toLines, candidates[i]!);
          if (typeof lines === 'string') documents.push(lines);
          else rejected.set(i, lines);
        }
        const sent = (await sendBulk(client, alias, documents, maxBulkBytes)).values();
        return candidates.map((_, i) => rejected.get(i) ?? sent.next().value!);
      });
    },
    async close() {
      await client.close();
    },
  };
}

function encode(toLines: ToBulkLines, change: CleanChange): string | Verdict {
  try {
    return toLines(change);
  } catch (error) {
    if (error instanceof LetheError) return { outcome: 'rejected', code: error.code };
    throw error;
  }
}
