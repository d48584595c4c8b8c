import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Contract, contractShape } from '../../../schemas/contract.ts';

/** The contracts of a folder by table name without schema, parsed strictly. */
export function readContracts(folder: string): Map<string, Contract> {
  const contracts = readdirSync(folder).map((name) =>
    contractShape.parse(parse(readFileSync(join(folder, name), 'utf8'))),
  );
  return new Map(contracts.map((contract) => [contract.table.replace('public.', ''), contract]));
}

/** Columns of each table of a SQL script, as its CREATE TABLE statements list them, one a line. */
export function columnsInSql(sql: string): Map<string, string[]> {
  const tables = new Map<string, string[]>();
  for (const [, table, body] of sql.matchAll(/CREATE TABLE (\w+)\s*\(\n([\s\S]*?)\n\);/g)) {
    const lines = body!.split('\n').map((line) => line.trim().split(' ')[0]!);
    tables.set(
      table!,
      lines.filter((name) => /^[a-z]/.test(name)),
    );
  }
  return tables;
}
