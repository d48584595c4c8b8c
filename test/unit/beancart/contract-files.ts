import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { type Contract, contractShape } from '../../../schemas/contract.ts';

interface Written {
  readonly columns: Readonly<Record<string, { readonly classification: string }>>;
}

/** The contracts of a folder by table name without schema, parsed strictly, with the defaults of the rules beside it. */
export function readContracts(folder: string): Map<string, Contract> {
  const rules = join(dirname(folder), 'rules.yaml');
  const { defaults = {} } = existsSync(rules)
    ? (parse(readFileSync(rules, 'utf8')) as { defaults?: Record<string, object> })
    : {};
  const contracts = readdirSync(folder).map((name) => {
    const written = parse(readFileSync(join(folder, name), 'utf8')) as Written;
    const columns = Object.entries(written.columns).map(([column, rule]) => [
      column,
      'action' in rule ? rule : { ...defaults[rule.classification], ...rule },
    ]);
    return contractShape.parse({ ...written, columns: Object.fromEntries(columns) as unknown });
  });
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
