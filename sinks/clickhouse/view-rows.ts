import { randomBytes } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseView } from '../../schemas/names.ts';
import { zeroVersion } from '../../schemas/version.ts';
import type { RemovedRows } from '../removal.ts';
import type { SubjectMarks } from '../subject-marks.ts';
import { KeyBatch } from './key-batch.ts';
import { query } from './query.ts';
import { quote } from './sql.ts';
import { SubjectBatch } from './subject-batch.ts';
import { readTable } from './table-state.ts';

type Place = Pick<Config, 'name' | 'topics' | 'clickhouse'>;
type Rows = Record<string, unknown>[];

/** Digits that JSON readers would round stand in quotes. */
const settings =
  'output_format_json_quote_64bit_integers = 1, output_format_json_quote_decimals = 1, output_format_json_quote_denormals = 1';

/** Rows with these canonical keys as readers of the view see them, by column. No key stands in a statement. */
export async function rowsOfKeys(
  client: ClickHouseClient,
  config: Place,
  dataset: Dataset,
  keys: readonly string[],
): Promise<Rows> {
  if (keys.length === 0) return [];
  const batch = new KeyBatch(client, clickhouseDatabase(config), dataset, randomBatch());
  try {
    await batch.write(withoutVersion(keys));
    return await select(client, dataset, batch.joined(clickhouseView(dataset.table)));
  } finally {
    await batch.drop();
  }
}

/** The same of rows that tell by what stands in them that they are these persons', whatever their key. No person stands in a statement. */
export async function rowsOfSubjects(
  client: ClickHouseClient,
  config: Place,
  dataset: Dataset,
  marks: SubjectMarks,
): Promise<Rows> {
  const database = clickhouseDatabase(config);
  const view = clickhouseView(dataset.table);
  const batch = new SubjectBatch(client, database, sinkDataset(dataset, 'clickhouse'), randomBatch());
  const tellers = batch.tellers((await readTable(client, database, view))?.columns ?? new Map());
  if (tellers.length === 0) return [];
  try {
    await batch.write(marks);
    const theirs = batch.theirs(tellers);
    return await select(client, dataset, `${quote(database)}.${quote(view)} AS r WHERE ${theirs}`);
  } finally {
    await batch.drop();
  }
}

function select(client: ClickHouseClient, dataset: Dataset, from: string): Promise<Rows> {
  const { columns } = sinkDataset(dataset, 'clickhouse');
  const selected = columns.map(({ name }) => `r.${quote(name)} AS ${quote(name)}`).join(', ');
  const sql = `SELECT ${selected} FROM ${from} SETTINGS ${settings}`;
  return query(client, sql, {}, `read rows of ${dataset.table}`);
}

const randomBatch = (): string => randomBytes(16).toString('hex');

/** No version matters where nothing is removed. */
function withoutVersion(keys: readonly string[]): RemovedRows {
  return new Map(keys.map((key) => [key, zeroVersion]));
}
