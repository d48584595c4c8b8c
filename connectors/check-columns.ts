import { contractFinding } from '../schemas/contract-finding.ts';
import type { ColumnRule } from '../schemas/column-rule.ts';
import { needsValue } from '../schemas/dataset.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { valueKind } from '../schemas/value-kind.ts';
import { checkAction } from './check-action.ts';
import type { CatalogColumn, CatalogTable } from './postgres/catalog.ts';

/** Every column that the contract names must exist, and its action must fit its type. */
export function checkColumns(loaded: LoadedContract, table: CatalogTable, serverVersion: number): Finding[] {
  return Object.entries(loaded.contract.columns).flatMap(([name, rule]) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (!column) {
      const names = table.columns.map((candidate) => candidate.name);
      const message = `${table.table} has no column ${name}.${didYouMean(name, names)}`;
      const fix = `Correct the name or take it out; the table has ${names.join(', ')}.`;
      return [contractFinding(loaded, 'COLUMN_MISSING', ['columns', name], message, fix, 'key')];
    }
    const problem = columnProblem(column, rule, serverVersion);
    return problem
      ? [contractFinding(loaded, problem[0], ['columns', name, 'action'], problem[1], problem[2])]
      : [];
  });
}

function columnProblem(
  column: CatalogColumn,
  rule: ColumnRule,
  serverVersion: number,
): readonly [code: FindingCode, message: string, fix: string] | undefined {
  if (rule.action === 'drop') return undefined;
  if (needsValue(rule)) {
    const generated = generatedProblem(column, serverVersion);
    if (generated) return ['COLUMN_GENERATED', generated, 'Use drop or null, or compute it downstream.'];
  }
  const kind = valueKind(column);
  if (!kind) {
    return ['TYPE_NOT_TAKEN', `${column.name} is ${column.typeText}, a type that is not taken`, 'Use drop.'];
  }
  const problem = checkAction(rule, kind, column);
  return problem && ['ACTION_ON_TYPE', ...problem];
}

/** Stored generated columns can be published since PostgreSQL 18, virtual ones never. */
export function generatedProblem(column: CatalogColumn, serverVersion: number): string | undefined {
  if (column.generation === 'virtual')
    return `${column.name} is a virtual generated column: it is not in the WAL`;
  if (column.generation === 'stored' && serverVersion < 180000) {
    return `${column.name} is a generated column: before PostgreSQL 18 it cannot be published`;
  }
  return undefined;
}
