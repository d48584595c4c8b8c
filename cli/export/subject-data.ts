import { withSource } from '../../connectors/postgres/source-client.ts';
import { sourceRowsOf } from '../../connectors/postgres/subject-rows.ts';
import { recordsOf, type SubjectRecord } from '../../erasure/subject-index.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import type { SinkName } from '../../schemas/sink-name.ts';
import { recordKeysOf } from '../erase/inventoried.ts';
import { recipientsOf } from '../erase/recipients.ts';
import { everyIdOf } from '../linked.ts';
import type { Project } from '../project.ts';
import type { Subject } from '../subject.ts';
import { type ExportedLetter, exportedLetters } from './letters.ts';
import { type OpenCounts, ValueOpener } from './open-values.ts';
import { storeRows, subjectMarks } from './store-rows.ts';

/** Everything about a person; see docs/erasure-duties.md for the format. */
export interface SubjectData {
  readonly format: 'lethe/subject-export/v1';
  readonly pipeline: string;
  readonly subject: Subject;
  /** Under which the person is known as well. */
  readonly otherIds?: readonly string[];
  /** ISO 8601. */
  readonly at: string;
  readonly tables: readonly TableData[];
  /** Who else gets tables with rows or records of the person, as lethe.yaml says. */
  readonly recipients: readonly { readonly recipient: string; readonly tables: readonly string[] }[];
}

export interface TableData {
  readonly table: string;
  /** What the contract says of each column: what it is, and what consumers get of it. */
  readonly columns: readonly {
    readonly column: string;
    readonly classification: string;
    readonly action: string;
  }[];
  /** Rows at the source: canonical texts, what is protected downstream in the clear. */
  readonly source: readonly Readonly<Record<string, string | null>>[];
  /** What each store has, encrypted values opened as far as their key is there. */
  readonly stores: Partial<Record<SinkName, readonly Readonly<Record<string, unknown>>[]>>;
  /** Dead letters about rows of the person. */
  readonly letters: readonly ExportedLetter[];
}

export interface ExportCounts extends OpenCounts {
  tables: number;
  rows: number;
  documents: number;
  letters: number;
}

/** Gathers it from the source and the stores, and counts; nothing is written anywhere. */
export async function subjectData(
  project: Project,
  keys: PostgresKeyStore,
  subject: Subject,
): Promise<{ readonly data: SubjectData; readonly counts: ExportCounts }> {
  const { config } = project;
  const { type } = subject;
  const subjects = await everyIdOf(config, keys, subject);
  const indexed = await withKeyStore(config, async (client) => {
    const found: SubjectRecord[] = [];
    for (const { id } of subjects)
      found.push(...(await recordsOf(client, type, await keys.subjectDigest({ type }, id))));
    return found;
  });
  const counts: ExportCounts = {
    tables: 0,
    rows: 0,
    documents: 0,
    letters: 0,
    decrypted: 0,
    erased: 0,
    sealed: 0,
  };
  const tables: TableData[] = [];
  const held = new Set<string>();
  for (const dataset of project.datasets.filter((one) => one.subject?.type === type)) {
    const { table, contract } = dataset;
    const source = await sourceOf(project, dataset, subjects);
    const own = indexed.filter((record) => record.table === table).map(({ key }) => key);
    const atSource = await recordKeysOf({ project }, dataset, source.keys);
    const recordKeys = [...new Set([...own, ...atSource])];
    if (recordKeys.length > 0) held.add(table);
    const marks = await subjectMarks(keys, dataset, subjects);
    const opener = new ValueOpener(keys, dataset);
    const stores: TableData['stores'] = {};
    for (const sink of contract.sinks) {
      const rows: Record<string, unknown>[] = [];
      for (const row of await storeRows(config, dataset, sink, recordKeys, marks))
        rows.push(await opener.open(row));
      if (rows.length > 0) held.add(table);
      stores[sink] = rows;
      counts.documents += rows.length;
    }
    const sourceKeys = source.keys.map((parts) => encodeRecordKey(parts));
    const letters = await exportedLetters(config, keys, dataset, new Set([...recordKeys, ...sourceKeys]));
    counts.letters += letters.length;
    counts.tables++;
    counts.rows += source.rows.length;
    for (const what of ['decrypted', 'erased', 'sealed'] as const) counts[what] += opener.counts[what];
    const columns = Object.entries(contract.columns).map(([column, { classification, action }]) => ({
      column,
      classification,
      action,
    }));
    tables.push({ table, columns, source: source.rows, stores, letters });
  }
  const at = new Date().toISOString();
  const also = subjects.length > 1 ? { otherIds: subjects.slice(1).map(({ id }) => id) } : {};
  return {
    data: {
      format: 'lethe/subject-export/v1',
      pipeline: config.name,
      subject,
      ...also,
      at,
      tables,
      recipients: recipientsOf(config.erasure.recipients, held),
    },
    counts,
  };
}

/** Every column that the contract names, those too that no consumer gets. */
async function sourceOf({ config }: Project, dataset: Dataset, subjects: readonly Subject[]) {
  const columns = Object.keys(dataset.contract.columns);
  const keys: (readonly string[])[] = [];
  const rows: Record<string, string | null>[] = [];
  await withSource(config.postgres, async (client) => {
    for (const { id } of subjects) {
      for await (const batch of sourceRowsOf(client, dataset, id, { columns })) {
        for (const { key, values } of batch) {
          keys.push(key);
          rows.push(Object.fromEntries(values));
        }
      }
    }
  });
  return { keys, rows };
}
