import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { clickhouseDatabase, clickhouseTable, clickhouseView } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { clickhouseMisfits, clickhouseSwitch } from '../../sinks/clickhouse/generations.ts';
import { clickhouseResources } from '../../sinks/clickhouse/resources.ts';
import { createClickhouseSink } from '../../sinks/clickhouse/sink.ts';
import { testConfig } from './sink-config.ts';
import { inPlace, refusedNumber, type SinkHarness, testSink } from './sink-suite.ts';

/** ClickHouse as the sink suite needs it, and the plain client beside it for tests of its own. */
export interface ClickhouseHarness extends SinkHarness {
  readonly config: Config;
  readonly plain: ClickHouseClient;
  /** `database.table` of the dataset's rows, for queries of a test's own. */
  readonly table: (dataset: Dataset) => string;
  readonly select: (query: string) => Promise<Record<string, unknown>[]>;
}

/** Numbers that JSON.parse would round come as text. */
const exactNumbers = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  output_format_json_quote_denormals: 1,
} as const;

export async function makeClickhouseHarness(url: string): Promise<ClickhouseHarness> {
  const config = testConfig({ clickhouse: { url } });
  const client = createClickhouseClient(config.clickhouse!);
  const plain = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
  const database = clickhouseDatabase(config);
  await plain.command({ query: `CREATE DATABASE ${database}` });
  const table = (dataset: Dataset): string => `${database}.${clickhouseTable(dataset.table, 1)}`;
  const select = async (query: string): Promise<Record<string, unknown>[]> => {
    const answer = await plain.query({ query, format: 'JSONEachRow', clickhouse_settings: exactNumbers });
    return await answer.json();
  };
  return {
    config,
    plain,
    table,
    select,
    sink: testSink(createClickhouseSink(config, client)),
    resources: (datasets, target = inPlace) => clickhouseResources(config, datasets, client, () => target),
    misfits: (dataset) => clickhouseMisfits(config, dataset, 1, client),
    switchTo: (dataset, generation) => clickhouseSwitch(config, dataset, generation, client),
    async read(dataset) {
      const rows = await select(`SELECT * FROM ${database}.${clickhouseView(dataset.table)}`);
      return new Map(rows.map((row) => [String(row[dataset.key[0]!.name]), row]));
    },
    async forgetDeletes(dataset) {
      await plain.command({ query: `OPTIMIZE TABLE ${table(dataset)} FINAL` });
    },
    unfit: [
      { row: { day: -25_568 }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { day: 120_530 }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { at: -2_208_988_800_000_001n }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { at: 10_413_792_000_000_000n }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { at_zone: '-004712-01-01T00:00:00Z' }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { price: 'NaN' }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { price: '10000000000.00' }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { price: '0.001' }, code: 'VALUE_UNREPRESENTABLE' },
      { row: { at_zone: 'infinity' }, code: 'SCHEMA_UNEXPECTED' },
      { row: { uid: 'no uuid' }, code: 'SCHEMA_UNEXPECTED' },
      { row: { must: null }, code: 'SCHEMA_UNEXPECTED' },
    ],
    async refuseNumber(dataset) {
      await plain.command({
        query: `ALTER TABLE ${table(dataset)} ADD CONSTRAINT no_such_number CHECK n != ${refusedNumber}`,
      });
    },
    unreachable: testSink(
      createClickhouseSink(config, createClickhouseClient({ url: 'http://127.0.0.1:1' })),
    ),
    async makeForeign(dataset) {
      await plain.command({ query: `CREATE TABLE ${table(dataset)} (id Int32) ENGINE = Memory` });
    },
    async unmark(dataset) {
      await plain.command({ query: `ALTER TABLE ${table(dataset)} MODIFY COMMENT ''` });
    },
    async end() {
      await plain.command({ query: `DROP DATABASE ${database} SYNC` });
      await client.close();
      await plain.close();
    },
  };
}
