import type { Client } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { indexAlias } from '../../schemas/names.ts';
import { encryptedColumns, subjectColumn } from '../../schemas/subject-columns.ts';
import type { SubjectMarks } from '../subject-marks.ts';
import { readIndexes } from './index-state.ts';
import { pagesOf } from './pages.ts';
import { beginningsOf, searchable, termsOf } from './subject-field.ts';

/**
 * Ids of documents that readers of the alias see and that tell by what stands in them that they are these persons', whatever their id: by
 * the column that says whose a row is, where it can be searched for; else by what its ciphertexts begin with, and then each document is read.
 */
export async function idsOfSubjects(
  client: Client,
  config: Pick<Config, 'name' | 'topics'>,
  dataset: Dataset,
  { values, prefixes }: SubjectMarks,
): Promise<string[]> {
  const alias = indexAlias(config, dataset.table);
  const columns = sinkDataset(dataset, 'elasticsearch');
  const own = subjectColumn(columns);
  const [index] = await readIndexes(client, alias);
  const field = own && searchable(own, index?.mappings.properties?.[own.name]);
  const ids: string[] = [];
  if (field !== undefined) {
    for (const condition of termsOf(field, own!, values))
      for await (const hits of pagesOf(client, alias, { _source: [] }, condition))
        ids.push(...hits.map(({ _id }) => _id));
    return ids;
  }
  const encrypted = encryptedColumns(columns).map(({ name }) => name);
  if (!index || encrypted.length === 0 || prefixes.length === 0) return ids;
  const theirs = new Set(prefixes);
  for await (const hits of pagesOf<Readonly<Record<string, unknown>>>(client, alias, { _source: encrypted }))
    for (const { _id, _source } of hits)
      if (beginningsOf(_source, encrypted).some((text) => theirs.has(text))) ids.push(_id);
  return ids;
}
