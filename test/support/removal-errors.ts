import { indexName } from '../../schemas/names.ts';
import { compactPast } from '../../pipeline/topic-compaction.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { deleteRows } from '../../sinks/clickhouse/mutation.ts';
import { partsGone } from '../../sinks/clickhouse/replaced-parts.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { documentsHolding } from '../../sinks/elasticsearch/documents-held.ts';
import { removeDocumentsOfSubjects } from '../../sinks/elasticsearch/documents-of-subjects.ts';
import { expungeDeleted } from '../../sinks/elasticsearch/expunge.ts';
import { indexDefinition } from '../../sinks/elasticsearch/index-definition.ts';
import { answering } from './server-errors.ts';
import { CompactedLog } from './compacted-log.ts';
import { testConfig } from './sink-config.ts';
import { at, testDataset } from './sink-datasets.ts';

const place = { database: 'shop', table: '_rows_t' };
const { signal } = new AbortController();
const atOnce = { signal, limitMs: 0 };
const patient = { signal, limitMs: 60_000 };

/** Removals that servers do not do, or not in time, each server quoting what it got. */
export function removalFailures(canary: string): Readonly<Record<string, () => Promise<unknown>>> {
  const clickhouse = (row: object, use: (client: ReturnType<typeof createClickhouseClient>) => unknown) =>
    answering(
      () => [200, `${JSON.stringify({ ...row, latest_fail_reason: canary })}\n`],
      async (url) => {
        const client = createClickhouseClient({ url });
        try {
          await use(client);
        } finally {
          await client.close();
        }
      },
    );
  const elasticsearch = (
    body: object,
    use: (client: ReturnType<typeof createElasticsearchClient>) => unknown,
  ) =>
    answering(
      () => [200, { ...body, reason: canary }],
      async (url) => {
        const client = createElasticsearchClient({ url });
        try {
          await use(client);
        } finally {
          await client.close();
        }
      },
    );
  const rows = new Map([[canary, at(1)]]);
  const copies = [
    {
      routing: { node: 'n' },
      segments: { _0: { deleted_docs: 1 } },
      seq_no: { max_seq_no: 5 },
      retention_leases: { leases: [{ retaining_seq_no: 3 }] },
    },
  ];
  const config = testConfig({});
  const people = testDataset('public.people', ['id'], [{ name: 'id', type: 'text' }], 'id');
  // The index, a document of the person, and that it was changed since, in one answer to whatever is asked.
  const { mark, properties } = indexDefinition(config, people);
  const changing = {
    [indexName(config, people.table, 1)]: { mappings: { _meta: mark, properties }, aliases: {} },
    hits: { hits: [{ _id: canary, _seq_no: 1, _primary_term: 1 }] },
    items: [{ delete: { status: 409 } }],
  };
  const log = new CompactedLog();
  for (const value of [canary, null]) log.append(canary, value);
  const nothing = async () => {};
  return {
    'a mutation that fails': () =>
      clickhouse({ open: 1, failed: 1 }, (client) => deleteRows(client, place, '1', 'mark', patient)),
    'a mutation that is not done': () =>
      clickhouse({ open: 1, failed: 0 }, (client) => deleteRows(client, place, '1', 'mark', atOnce)),
    'a part that does not go': () =>
      clickhouse({ name: canary }, (client) => partsGone(client, place, atOnce)),
    'documents that are not answered for': () =>
      elasticsearch({ docs: [] }, (client) => documentsHolding(client, 'i', rows)),
    'documents that change while they are deleted': () =>
      elasticsearch(changing, (client) =>
        removeDocumentsOfSubjects(client, config, people, { values: [canary], prefixes: [] }, atOnce),
      ),
    'operations that are kept for a copy': () =>
      elasticsearch({ indices: { i: { shards: { 0: copies } } } }, (client) =>
        expungeDeleted(client, 'i', atOnce),
      ),
    'a topic that is not compacted': () =>
      compactPast(
        { reader: log, hurry: nothing, relax: nothing, roll: nothing },
        [{ topic: 'clean', partition: 0, keys: new Set([canary]), below: log.end }],
        { signal, limitMs: 0 },
      ),
  };
}
