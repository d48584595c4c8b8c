import type { OpenErasure } from '../../erasure/runner.ts';
import { ciphertextPrefix } from '../../keys/ciphertext.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { type SinkName, sinkNames } from '../../schemas/sink-name.ts';
import { encryptedColumns, subjectColumn } from '../../schemas/subject-columns.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { removeRowsOfSubjects } from '../../sinks/clickhouse/rows-of-subjects.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { removeDocumentsOfSubjects } from '../../sinks/elasticsearch/documents-of-subjects.ts';
import type { Waiting } from '../../sinks/removal.ts';
import type { FoundBySubject, SubjectMarks } from '../../sinks/subject-marks.ts';
import { batchOf, datasetsOf, type ErasureContext, typesOf } from './context.ts';

/** What came of looking for persons in a store by what stands in its rows; numbers, and names of tables. */
export interface StoreLook extends Pick<FoundBySubject, 'records' | 'found' | 'controls'> {
  readonly place: string;
  /** Tables with rows in which the same search met nobody: there its word does not count. */
  readonly blind: readonly string[];
}

/** Can anything in a store's rows of this table tell whose they are? */
export function canTell(dataset: Dataset, sink: SinkName): boolean {
  const stored = sinkDataset(dataset, sink);
  return subjectColumn(stored) !== undefined || encryptedColumns(stored).length > 0;
}

/**
 * Whatever else the stores have of the persons, under whatever keys: rows that no tombstone reaches, since no change of the source made them.
 * It is deleted, off the disks too. What was found is told: who finds something looks again, and finds nothing then.
 */
export async function removeBySubject(
  context: ErasureContext,
  erasures: readonly OpenErasure[],
  waiting: Waiting,
): Promise<StoreLook[]> {
  const { config } = context.project;
  const looks: StoreLook[] = [];
  for (const sink of sinkNames) {
    if (!config[sink]) continue;
    context.say(`looking for rows under other keys in ${sink}`);
    const told = datasetsOf(context, typesOf(erasures)).filter(
      (dataset) => dataset.contract.sinks.includes(sink) && canTell(dataset, sink),
    );
    // Elasticsearch keeps what is deleted for half a minute: all indexes wait for that together.
    const byTable = await Promise.all(
      told.map((dataset) => {
        const marks = marksIn(erasures, dataset.table);
        const batch = batchOf(erasures, `by subject, ${dataset.table}`);
        return removers[sink](config, dataset, marks, batch, waiting);
      }),
    );
    const found = byTable.flat();
    const blind = told.flatMap(({ table }, i) =>
      byTable[i]!.some(({ records, controls }) => records > 0 && controls === 0) ? [table] : [],
    );
    const sum = (of: (one: FoundBySubject) => number): number => found.reduce((all, one) => all + of(one), 0);
    looks.push({
      place: `${sink} by subject`,
      records: sum(({ records }) => records),
      found: sum((one) => one.found),
      controls: sum(({ controls }) => controls),
      blind,
    });
  }
  return looks;
}

/** By how many marks a person is looked for in the stores. */
export function countMarks({ inventory: { marks, keyId } }: OpenErasure): number {
  return marks.length + (keyId === undefined ? 0 : 1);
}

function marksIn(erasures: readonly OpenErasure[], table: string): SubjectMarks {
  const all = erasures.map(({ inventory }) => inventory);
  return {
    values: all.flatMap(({ marks }) => marks.flatMap((mark) => (mark.table === table ? mark.value : []))),
    prefixes: all.flatMap(({ keyId }) =>
      keyId === undefined ? [] : ciphertextPrefix(Buffer.from(keyId.replaceAll('-', ''), 'hex')),
    ),
  };
}

type Remove = (
  config: Config,
  dataset: Dataset,
  marks: SubjectMarks,
  batch: string,
  waiting: Waiting,
) => Promise<FoundBySubject[]>;

const removers: Readonly<Record<SinkName, Remove>> = {
  async clickhouse(config, dataset, marks, batch, waiting) {
    const client = createClickhouseClient(config.clickhouse!);
    try {
      return await removeRowsOfSubjects(client, config, dataset, marks, batch, waiting);
    } finally {
      await client.close();
    }
  },
  async elasticsearch(config, dataset, marks, _batch, waiting) {
    const client = createElasticsearchClient(config.elasticsearch!, waiting.limitMs);
    try {
      return await removeDocumentsOfSubjects(client, config, dataset, marks, waiting);
    } finally {
      await client.close();
    }
  },
};
