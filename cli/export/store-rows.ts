import { ciphertextPrefix } from '../../keys/ciphertext.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { indexAlias } from '../../schemas/names.ts';
import { documentId } from '../../schemas/record-key.ts';
import type { SinkName } from '../../schemas/sink-name.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { rowsOfKeys, rowsOfSubjects } from '../../sinks/clickhouse/view-rows.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { idsOfSubjects } from '../../sinks/elasticsearch/ids-of-subjects.ts';
import type { SubjectMarks } from '../../sinks/subject-marks.ts';
import { type Json, JsonNumber } from '../../verify/json.ts';
import { aliasRows } from '../../verify/readers/elasticsearch-documents.ts';
import { VerifyError } from '../../verify/verify-error.ts';
import { marksOf } from '../erase/subject-marks.ts';
import type { Subject } from '../subject.ts';

type Row = Readonly<Record<string, unknown>>;

const idsOfAQuery = 1_000;

/** By what the rows of one table tell that they are of a person, under any of these ids. */
export async function subjectMarks(
  keys: PostgresKeyStore,
  dataset: Dataset,
  subjects: readonly Subject[],
): Promise<SubjectMarks> {
  const values: string[] = [];
  const prefixes: string[] = [];
  for (const subject of subjects) {
    values.push(...(await marksOf({ keys }, [dataset], subject)).map(({ value }) => value));
    const [own] = await keys.findKeys({ type: subject.type }, [subject.id]);
    if (own) prefixes.push(ciphertextPrefix(own.keyId));
  }
  return { values, prefixes };
}

/**
 * What a store shows its readers of a person: rows under the keys of their records, and rows that tell themselves whose they are, under
 * whatever key somebody has written them.
 */
export async function storeRows(
  config: Config,
  dataset: Dataset,
  sink: SinkName,
  keys: readonly string[],
  marks: SubjectMarks,
): Promise<Row[]> {
  if (!config[sink]) return [];
  return sink === 'clickhouse'
    ? clickhouseRows(config, dataset, keys, marks)
    : documents(config, dataset, keys, marks);
}

async function clickhouseRows(
  config: Config,
  dataset: Dataset,
  keys: readonly string[],
  marks: SubjectMarks,
): Promise<Row[]> {
  const client = createClickhouseClient(config.clickhouse!);
  const keyOf = (row: Row): string => JSON.stringify(dataset.key.map(({ name }) => row[name]));
  const rows = new Map<string, Row>();
  try {
    for (let from = 0; from < keys.length; from += idsOfAQuery) {
      const some = keys.slice(from, from + idsOfAQuery);
      for (const row of await rowsOfKeys(client, config, dataset, some)) rows.set(keyOf(row), row);
    }
    for (const row of await rowsOfSubjects(client, config, dataset, marks)) rows.set(keyOf(row), row);
    return [...rows.values()];
  } finally {
    await client.close();
  }
}

async function documents(
  config: Config,
  dataset: Dataset,
  keys: readonly string[],
  marks: SubjectMarks,
): Promise<Row[]> {
  const endpoint = config.elasticsearch!;
  const client = createElasticsearchClient(endpoint);
  const rows: Row[] = [];
  try {
    const told = await idsOfSubjects(client, config, dataset, marks);
    const ids = [...new Set([...keys.map(documentId), ...told])];
    for (let from = 0; from < ids.length; from += idsOfAQuery) {
      const some = ids.slice(from, from + idsOfAQuery);
      for await (const { cells } of aliasRows(endpoint, indexAlias(config, dataset.table), some))
        rows.push(Object.fromEntries([...cells].map(([name, value]) => [name, plain(value as Json)])));
    }
    return rows;
  } catch (error) {
    if (error instanceof VerifyError) throw new LetheError('SERVER_FAILED', error.message);
    throw error;
  } finally {
    await client.close();
  }
}

/** Numbers as texts: a reader of JSON would round those that have many digits. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  return Array.isArray(value) ? value.map(plain) : value;
}
