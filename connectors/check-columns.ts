import { contractFinding } from '../schemas/check-contract.ts';
import { actionNames, type ColumnRule } from '../schemas/contract.ts';
import { cleanKind, needsValue } from '../schemas/dataset.ts';
import { bandDecimals, bandWidth, coarsenessOf, isGeneralisable } from '../schemas/generalise.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { valueKind } from '../schemas/value-kind.ts';
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
  const coarseness = coarsenessOf(kind);
  if (rule.action === 'generalise' && coarseness !== undefined) {
    const scale = kind === 'decimal' ? column.scale : undefined;
    const tooFine = typeof rule.to === 'number' && bandWidth(rule.to).scale > (scale ?? bandDecimals);
    if (isGeneralisable(kind, rule.to) && !tooFine) return undefined;
    const message = `generalise to ${rule.to} cannot treat ${column.name}, which is ${column.typeText}`;
    const decimals = tooFine ? ` with at most ${scale} decimals` : '';
    return ['ACTION_ON_TYPE', message, `Write to: ${coarseness}${decimals}.`];
  }
  if (cleanKind(rule, kind) === undefined) {
    const possible = actionNames.filter((action) =>
      action === 'generalise'
        ? coarseness !== undefined
        : cleanKind({ ...rule, action } as ColumnRule, kind) !== undefined,
    );
    const message = `${rule.action} cannot treat ${column.name}, which is ${column.typeText}`;
    return ['ACTION_ON_TYPE', message, `Use one of: ${possible.join(', ')}.`];
  }
  return undefined;
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
