import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canaries, canaryMark } from '../../../examples/beancart/canaries.ts';
import { actionNames } from '../../../schemas/column-rule.ts';
import { beancartFolder } from '../../../examples/beancart/folder.ts';
import { protectedColumns } from '../../../examples/beancart/protected-columns.ts';
import type { RowValue } from '../../../examples/beancart/row.ts';
import { sampleRows } from '../../../examples/beancart/sample.ts';
import { columnsInSql, readContracts } from './contract-files.ts';

const contracts = readContracts(join(beancartFolder, 'contracts'));
const columns = columnsInSql(readFileSync(join(beancartFolder, 'schema.sql'), 'utf8'));

/** `table.column action keepStart keepEnd` of every column that is not kept, from the YAML and the SQL. */
function protectedByContract(): string[] {
  return [...columns].flatMap(([table, names]) =>
    names.flatMap((name) => {
      const rule = contracts.get(table)?.columns[name];
      if (rule?.action === 'keep') return [];
      const kept =
        rule?.action === 'mask'
          ? `${rule.keepStart} ${rule.keepEnd}`
          : `${rule?.action === 'truncate' ? rule.keep : 0} 0`;
      return [`${table}.${name} ${rule?.action ?? 'unnamed'} ${kept}`];
    }),
  );
}

test('the canaries cover exactly the columns that the contracts do not keep', () => {
  expect(columns.size).toBe(9);
  const declared = protectedColumns.map(
    (c) => `${c.table}.${c.column} ${c.action} ${c.keepStart} ${c.keepEnd}`,
  );
  expect(declared.sort()).toEqual(protectedByContract().sort());
  expect(canaries().map((c) => `${c.table}.${c.column} ${c.action}`)).toEqual(
    protectedColumns.map((c) => `${c.table}.${c.column} ${c.action}`),
  );
});

test('contracts name no column that the table lacks, every table has unnamed ones, every action is used', () => {
  expect([...contracts.keys()].sort()).toEqual([...columns.keys()].sort());
  for (const [table, contract] of contracts) {
    const names = columns.get(table)!;
    expect(names).toEqual(expect.arrayContaining(Object.keys(contract.columns)));
    expect(names.length, table).toBeGreaterThan(Object.keys(contract.columns).length);
  }
  const actions = [...contracts.values()].flatMap((c) => Object.values(c.columns).map((rule) => rule.action));
  expect(new Set(actions)).toEqual(new Set(actionNames));
});

test('only a boolean cannot carry a canary, and no form of one occurs in another', () => {
  const all = canaries();
  expect(all.filter((c) => c.bytes.length === 0).map((c) => `${c.table}.${c.column}`)).toEqual([
    'customers.needs_assistance',
  ]);
  const shared = new Set(protectedColumns.filter((c) => c.valuesOf).map((c) => `${c.table}.${c.column}`));
  const own = all.filter((c) => !shared.has(`${c.table}.${c.column}`));
  for (const canary of own) {
    for (const form of canary.bytes) expect(form.length).toBeGreaterThanOrEqual(7);
    expect(canary.bytes[0]?.length ?? 10).toBeGreaterThanOrEqual(10);
    const others = own.filter((c) => c !== canary).flatMap((c) => c.bytes);
    expect(canary.bytes.filter((form) => others.some((other) => other.includes(form)))).toEqual([]);
  }
});

describe('in the sample', () => {
  const chunks = [...sampleRows({ customers: 250, seed: 3 })];

  test.each(protectedColumns)('$table.$column has its canary', (column) => {
    const values = chunks.flatMap((chunk) => chunk[column.table].map((row) => row[column.column]!));
    const canary = canaries().find((c) => c.table === column.table && c.column === column.column)!;
    const planted = values.filter((value) => text(value).includes(canary.value));
    expect(planted.length).toBeGreaterThan(0);
    if (column.kind === 'text' && (column.action === 'mask' || column.action === 'truncate')) {
      for (const value of planted as string[]) {
        expect(value.slice(column.keepStart, value.length - column.keepEnd)).toContain(canaryMark);
        expect(value.slice(0, column.keepStart)).not.toMatch(/[a-z]/);
      }
    }
    if (!column.large) return;
    const large = planted.map(text).filter((value) => value.length > 8_000);
    expect(large.length).toBeGreaterThan(0);
    for (const value of large) {
      const at = ['start', 'middle', 'end'].map((place) => value.indexOf(`_${place}`) / value.length);
      expect(at[0]).toBeGreaterThan(0);
      expect(at[0]).toBeLessThan(0.05);
      expect(at[1]).toBeGreaterThan(0.4);
      expect(at[1]).toBeLessThan(0.6);
      expect(at[2]).toBeGreaterThan(0.95);
    }
  });
});

/** A value's text, bytea decoded. */
function text(value: RowValue): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return value.startsWith('\\x') ? Buffer.from(value.slice(2), 'hex').toString('latin1') : value;
}
