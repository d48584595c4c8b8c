import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beancartFolder } from '../../../examples/beancart/folder.ts';
import { checkContracts } from '../../../schemas/check-contract.ts';
import { isFor } from '../../../schemas/house-rules/breach.ts';
import {
  checkDefaults,
  checkHouseRules,
  checkTablePatterns,
} from '../../../schemas/house-rules/check-house-rules.ts';
import { loadHouseRules } from '../../../schemas/house-rules/load-rules.ts';
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
  LETHE_MASTER_FILE: 'master.json',
};

test.each([
  ['beancart', beancartFolder, 9],
  ['chinook', chinookFolder, 11],
] as const)('%s: lethe.yaml and all contracts load without a finding', async (name, folder, tables) => {
  const { config, contractsFolder, rulesFile, findings } = await loadConfig(join(folder, 'lethe.yaml'), env);
  expect(findings).toEqual([]);
  expect(config?.name).toBe(name);
  const { house, findings: ofRules = [] } = rulesFile === undefined ? {} : await loadHouseRules(rulesFile);
  expect(ofRules).toEqual([]);
  const loaded = await loadContracts(contractsFolder!, house);
  expect(loaded.findings).toEqual([]);
  if (house) {
    expect([...checkDefaults(house), ...checkHouseRules(loaded.contracts, house)]).toEqual([]);
    expect(checkTablePatterns(loaded.contracts, house)).toEqual([]);
  }
  expect(checkContracts(loaded.contracts, config!)).toEqual([]);
  expect(loaded.contracts.map(({ contract }) => contract)).toEqual([
    ...readContracts(join(folder, 'contracts')).values(),
  ]);
  expect(loaded.contracts).toHaveLength(tables);
});

test('beancart: every rule of the house is one for some column, and every default is of use', async () => {
  const { house } = await loadHouseRules(join(beancartFolder, 'rules.yaml'));
  const rules = [...readContracts(join(beancartFolder, 'contracts')).values()].flatMap(({ table, columns }) =>
    Object.values(columns).map((rule) => ({ table, rule })),
  );
  for (const houseRule of house!.rules) {
    expect(rules.some(({ table, rule }) => isFor(houseRule, rule.classification, table))).toBe(true);
  }
  for (const [name, { action }] of Object.entries(house!.defaults as Record<string, { action: string }>)) {
    expect(
      rules.some(({ rule }) => rule.classification === name && rule.action === action),
      name,
    ).toBe(true);
  }
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
