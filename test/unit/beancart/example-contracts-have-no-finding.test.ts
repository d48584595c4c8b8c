import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beancartFolder } from '../../../examples/beancart/folder.ts';
import { checkContracts } from '../../../schemas/check-contract.ts';
import { loadConfig } from '../../../schemas/load-config.ts';
import { loadContracts } from '../../../schemas/load-contracts.ts';
import { chinookSql } from '../../chinook/load.ts';
import { columnsInSql, readContracts } from './contract-files.ts';

const chinookFolder = join(import.meta.dirname, '..', '..', 'chinook');
const env = {
  LETHE_POSTGRES_URL: 'postgres://app@127.0.0.1:5432/shop',
  LETHE_KAFKA_BROKER: '127.0.0.1:9092',
  LETHE_CONNECT_URL: 'http://127.0.0.1:8083',
  LETHE_REGISTRY_URL: 'http://127.0.0.1:8081',
  LETHE_ELASTICSEARCH_URL: 'http://127.0.0.1:9200',
  LETHE_CLICKHOUSE_URL: 'http://127.0.0.1:8123',
  LETHE_KEYS_URL: 'postgres://app@127.0.0.1:5432/keys',
  LETHE_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
};

test.each([
  ['beancart', beancartFolder, 9],
  ['chinook', chinookFolder, 11],
] as const)('%s: lethe.yaml and all contracts load without a finding', async (name, folder, tables) => {
  const { config, contractsFolder, findings } = await loadConfig(join(folder, 'lethe.yaml'), env);
  expect(findings).toEqual([]);
  expect(config?.name).toBe(name);
  const loaded = await loadContracts(contractsFolder!);
  expect(loaded.findings).toEqual([]);
  expect(checkContracts(loaded.contracts, config!)).toEqual([]);
  expect(loaded.contracts.map(({ contract }) => contract)).toEqual([
    ...readContracts(join(folder, 'contracts')).values(),
  ]);
  expect(loaded.contracts).toHaveLength(tables);
});

test('beancart: one table feeds Elasticsearch alone, one ClickHouse alone, the others both', () => {
  const sinks = [...readContracts(join(beancartFolder, 'contracts')).values()].map((c) => c.sinks.join());
  const both = sinks.filter((names) => names === 'elasticsearch,clickhouse');
  expect(both).toHaveLength(7);
  expect(sinks).toEqual(expect.arrayContaining(['elasticsearch', 'clickhouse']));
});

test.skipIf(!existsSync(chinookSql))(
  'chinook: contracts name exactly the columns of the published tables',
  () => {
    const contracts = readContracts(join(chinookFolder, 'contracts'));
    const columns = columnsInSql(readFileSync(chinookSql, 'utf8'));
    expect([...contracts.keys()].sort()).toEqual([...columns.keys()].sort());
    const unnamed = [...columns].flatMap(([table, names]) => {
      const named = Object.keys(contracts.get(table)!.columns);
      expect(names).toEqual(expect.arrayContaining(named));
      return names.filter((name) => !named.includes(name)).map((name) => `${table}.${name}`);
    });
    expect(unnamed).toEqual(['employee.postal_code']);
  },
);
