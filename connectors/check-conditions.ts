import { contractFinding } from '../schemas/contract-finding.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { conditionKinds, type ConditionRule } from '../schemas/row-condition.ts';
import type { FieldPath } from '../schemas/source-document.ts';
import { type ValueKind, valueKind } from '../schemas/value-kind.ts';
import { generatedProblem } from './check-columns.ts';
import type { CatalogTable } from './postgres/catalog.ts';

interface Placed {
  readonly rule: ConditionRule;
  /** Where its column and its values stand in the contract. */
  readonly column: FieldPath;
  readonly values: FieldPath;
}

/** What `where` and `consent` need of the table: their columns, of types whose values have one spelling. */
export function checkConditions(
  loaded: LoadedContract,
  table: CatalogTable,
  serverVersion: number,
): Finding[] {
  const { where = [], consent } = loaded.contract;
  const placed = where.map(
    (rule, i): Placed => ({
      rule,
      column: ['where', i, 'column'],
      values: ['where', i, 'in' in rule ? 'in' : 'notIn'],
    }),
  );
  if (consent) {
    const rule = { column: consent.column, in: consent.granted };
    placed.push({ rule, column: ['consent', 'column'], values: ['consent', 'granted'] });
  }
  return placed.flatMap((one) => checkCondition(loaded, one, table, serverVersion));
}

function checkCondition(
  loaded: LoadedContract,
  { rule, column: at, values: valuesAt }: Placed,
  table: CatalogTable,
  serverVersion: number,
): Finding[] {
  const add = (code: FindingCode, path: FieldPath, message: string, fix: string): Finding[] => [
    contractFinding(loaded, code, path, message, fix),
  ];
  const name = rule.column;
  const column = table.columns.find((candidate) => candidate.name === name);
  if (!column) {
    const names = table.columns.map((candidate) => candidate.name);
    const message = `${table.table} has no column ${name}.${didYouMean(name, names)}`;
    return add('COLUMN_MISSING', at, message, `Name one of ${names.join(', ')}.`);
  }
  if (!Object.hasOwn(loaded.contract.columns, name)) {
    const message = `the condition's column ${name} is not listed: it would not reach the processor`;
    return add('COLUMN_MISSING', at, message, `Add ${name} to columns; with drop it goes no further.`);
  }
  const generated = generatedProblem(column, serverVersion);
  if (generated) return add('COLUMN_GENERATED', at, generated, 'Name an ordinary column.');
  const kind = valueKind(column);
  if (!kind || !conditionKinds.has(kind)) {
    const message = `${name} is ${column.typeText}, whose values have more than one spelling`;
    return add('CONDITION_TYPE', at, message, `A condition may be on ${[...conditionKinds].join(', ')}.`);
  }
  const values = 'is' in rule ? [] : 'in' in rule ? rule.in : rule.notIn;
  if (values.every((value) => isOf(kind, value))) return [];
  const message = `a value that a ${kind} never has: the condition would always say the same`;
  return add('CONDITION_TYPE', valuesAt, message, `Write values of ${name}, which is ${column.typeText}.`);
}

const spellings: Readonly<Partial<Record<ValueKind, RegExp>>> = {
  boolean: /^(?:true|false)$/,
  int: /^-?\d+$/,
  long: /^-?\d+$/,
  uuid: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/,
  date: /^\d{4}-\d\d-\d\d$/,
};

function isOf(kind: ValueKind, value: string | number | boolean): boolean {
  return spellings[kind]?.test(String(value)) ?? true;
}
