import { valueKind } from '../../schemas/value-kind.ts';
import { generatedProblem } from '../check-columns.ts';
import { subjectKinds } from '../check-subject.ts';
import type { CatalogTable } from '../postgres/catalog.ts';
import { personRank } from './person-tables.ts';
import type { Relations } from './relations.ts';

/** Whose data a row is, as far as a single column says it, and why or why not. */
export interface FoundSubject {
  readonly subject?: { readonly type: string; readonly key: string };
  readonly reason: string;
}

/** From the table's own name, else from its foreign keys to tables of people. */
export function findSubject(table: CatalogTable, relations: Relations, serverVersion: number): FoundSubject {
  const own = relations.personOf(table.table);
  if (own !== undefined) {
    const key = table.primaryKey.length === 1 ? table.primaryKey[0]! : undefined;
    if (key !== undefined && canSay(table, key, serverVersion)) {
      return { subject: { type: own, key }, reason: `by the table's name its rows are persons (${own})` };
    }
    return {
      reason: `by the table's name its rows are persons (${own}), but its key is no single column that can name one`,
    };
  }
  const candidates = relations.of(table.table).flatMap((foreign) => {
    const type = relations.personOf(foreign.toTable);
    const key = foreign.columns.length === 1 && foreign.toKey ? foreign.columns[0]! : undefined;
    return type !== undefined && key !== undefined ? [{ type, key, toTable: foreign.toTable }] : [];
  });
  const fit = candidates.filter(({ key }) => canSay(table, key, serverVersion));
  if (fit.length === 0) {
    const nullable = candidates.find(({ key }) => isNullable(table, key));
    return nullable
      ? { reason: `${nullable.key} may be null, so it does not say of every row whose it is` }
      : { reason: 'no direct column says whose row it is' };
  }
  const best = Math.min(...fit.map(({ type }) => personRank(type)));
  const chosen = new Map(
    fit.filter(({ type }) => personRank(type) === best).map((entry) => [entry.key, entry]),
  );
  if (chosen.size > 1) {
    return {
      reason: `${[...chosen.keys()].join(', ')} each refer to a person: one of them has to be chosen`,
    };
  }
  const { type, key, toTable } = [...chosen.values()][0]!;
  return { subject: { type, key }, reason: `${key} refers to ${toTable}, which lists persons` };
}

function isNullable(table: CatalogTable, name: string): boolean {
  return table.columns.some((column) => column.name === name && column.nullable);
}

/** A column that is in every row, reaches the processor and has one canonical text. */
function canSay(table: CatalogTable, name: string, serverVersion: number): boolean {
  const column = table.columns.find((candidate) => candidate.name === name);
  const kind = column && valueKind(column);
  return (
    column !== undefined &&
    kind !== undefined &&
    subjectKinds.has(kind) &&
    !column.nullable &&
    column.readable &&
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
    generatedProblem(column, serverVersion) === undefined
  );
}
