import type { Client } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, type DatasetColumn, sinkDataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { encryptedColumns, subjectColumn } from '../../schemas/subject-columns.ts';
import type { Waiting } from '../removal.ts';
import { type FoundBySubject, othersLookedFor, type SubjectMarks } from '../subject-marks.ts';
import { expungeDeleted } from './expunge.ts';
import { readOwnIndexes } from './generations.ts';
import { pagesOf } from './pages.ts';
import { RowIndex } from './row-index.ts';
import { beginningsOf, searchable, termsOf } from './subject-field.ts';

type Found = Pick<FoundBySubject, 'found' | 'controls'>;

/** A document that changes while it is deleted is looked for again, so often. */
const mostVainRounds = 10;

/**
 * Looks for documents of persons by what stands in them, in the indexes of all generations and of a rebuilding, and takes those that are found
 * off the disk: documents under ids that no index of ours has, which somebody else wrote. By the column that says whose a row is, where it can
 * be searched for; else by what its ciphertexts begin with, and then each document is read. Sinks must have written every tombstone before, and
 * the persons be suppressed: nothing of theirs comes any more. The same promises as {@link removeDocuments}.
 */
export async function removeDocumentsOfSubjects(
  client: Client,
  config: Pick<Config, 'name' | 'topics'>,
  dataset: Dataset,
  marks: SubjectMarks,
  waiting: Waiting,
): Promise<FoundBySubject[]> {
  const columns = sinkDataset(dataset, 'elasticsearch');
  const own = subjectColumn(columns);
  const encrypted = encryptedColumns(columns).map(({ name }) => name);
  const all: FoundBySubject[] = [];
  for (const { name, mappings } of await readOwnIndexes(client, config, dataset.table)) {
    const index = new RowIndex(client, name);
    await index.refresh();
    const field = own && searchable(own, mappings.properties?.[own.name]);
    const { found, controls } =
      field === undefined
        ? await removeByCiphertexts(client, index, encrypted, new Set(marks.prefixes))
        : await removeByColumn(index, field, own!, marks.values);
    if (found > 0) await expungeDeleted(client, name, waiting);
    all.push({ name, records: await index.count(), found, controls });
  }
  return all;
}

async function removeByColumn(
  index: RowIndex,
  field: string,
  own: DatasetColumn,
  texts: readonly string[],
): Promise<Found> {
  const isNumber = own.clean === 'int' || own.clean === 'long';
  let found = 0;
  for (const terms of termsOf(field, own, texts)) {
    for (let vain = 0; ; ) {
      const hits = await index.find(terms);
      if (hits.length === 0) break;
      const deleted = await index.delete(hits);
      if (deleted === 0 && ++vain === mostVainRounds) throw changing(index);
      found += deleted;
      await index.refresh();
    }
  }
  const known = await index.valuesOf(field, isNumber, othersLookedFor);
  const controls = known.length === 0 ? 0 : await index.count({ terms: { [field]: known } });
  return { found, controls };
}

async function removeByCiphertexts(
  client: Client,
  index: RowIndex,
  columns: readonly string[],
  prefixes: ReadonlySet<string>,
): Promise<Found> {
  let [found, controls] = [0, 0];
  if (columns.length === 0) return { found, controls };
  const asked = { _source: columns, seq_no_primary_term: true };
  for await (const hits of pagesOf<Readonly<Record<string, unknown>>>(client, index.name, asked)) {
    const theirs = hits.filter(({ _source }) => {
      const beginnings = beginningsOf(_source, columns);
      if (beginnings.some((text) => prefixes.has(text))) return true;
      if (beginnings.length > 0) controls++;
      return false;
    });
    if (theirs.length === 0) continue;
    const deleted = await index.delete(theirs);
    if (deleted < theirs.length) throw changing(index);
    found += deleted;
  }
  return { found, controls };
}

function changing({ name }: RowIndex): LetheError {
  const fix = 'Look who else writes to the index; it is tried again.';
  return new LetheError('SERVER_FAILED', `Documents changed while they were deleted (${name}).`, { fix });
}
