import { randomBytes } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseView } from '../../schemas/names.ts';
import { zeroVersion } from '../../schemas/version.ts';
import type { RemovedRows } from '../removal.ts';
import { KeyBatch } from './key-batch.ts';
import { query } from './query.ts';
import { quote } from './sql.ts';

/** Digits that JSON readers would round stand in quotes. */
const settings =
  'output_format_json_quote_64bit_integers = 1, output_format_json_quote_decimals = 1, output_format_json_quote_denormals = 1';

/** Rows with these canonical keys as readers of the view see them, by column. No key stands in a statement. */
export async function rowsOfKeys(
  client: ClickHouseClient,
  config: Pick<Config, 'name' | 'topics' | 'clickhouse'>,
  dataset: Dataset,
  keys: readonly string[],
): Promise<Record<string, unknown>[]> {
  if (keys.length === 0) return [];
  const batch = new KeyBatch(client, clickhouseDatabase(config), dataset, randomBytes(16).toString('hex'));
  const { columns } = sinkDataset(dataset, 'clickhouse');
  const selected = columns.map(({ name }) => `r.${quote(name)} AS ${quote(name)}`).join(', ');
  try {
    await batch.write(withoutVersion(keys));
    const from = batch.joined(clickhouseView(dataset.table));
    return await query(
      client,
      `SELECT ${selected} FROM ${from} SETTINGS ${settings}`,
      {},
      `read rows of ${dataset.table}`,
    );
  } finally {
    await batch.drop();
  }
}

/** No version matters where nothing is removed. */
function withoutVersion(keys: readonly string[]): RemovedRows {
  return new Map(keys.map((key) => [key, zeroVersion]));
}
