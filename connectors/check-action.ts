import { possibleActions } from '../schemas/action-matrix.ts';
import type { ColumnRule, PathRule } from '../schemas/column-rule.ts';
import { cleanKind } from '../schemas/dataset.ts';
import { shortestFormatted } from '../schemas/format-alphabet.ts';
import { bandDecimals, bandWidth, coarsenessOf, isGeneralisable } from '../schemas/generalise.ts';
import { elementKind, type ValueKind } from '../schemas/value-kind.ts';
import { checkNested } from './check-nested.ts';
import type { CatalogColumn } from './postgres/catalog.ts';

type Problem = readonly [message: string, fix: string];

/** Why an action cannot treat a column of this kind, and what could; undefined if it can. */
export function checkAction(rule: ColumnRule, kind: ValueKind, column: CatalogColumn): Problem | undefined {
  if (rule.action === 'generalise') return checkGeneralise(rule, kind, column);
  if (cleanKind(rule, kind) === undefined) {
    return [
      `${rule.action} cannot treat ${column.name}, which is ${column.typeText}`,
      `Use one of: ${possibleActions(kind).join(', ')}.`,
    ];
  }
  if (rule.action === 'format-preserving') return checkLength(rule, column);
  if (rule.action !== 'paths') return undefined;
  if (column.shape) return checkNested(column.name, column.shape, rule.paths);
  return kind === 'array' ? checkItems(rule, column) : undefined;
}

function checkGeneralise(
  rule: ColumnRule & { action: 'generalise' },
  kind: ValueKind,
  column: CatalogColumn,
): Problem | undefined {
  const coarseness = coarsenessOf(kind);
  if (coarseness === undefined) {
    return [
      `generalise cannot treat ${column.name}, which is ${column.typeText}`,
      `Use one of: ${possibleActions(kind).join(', ')}.`,
    ];
  }
  const scale = kind === 'decimal' ? column.scale : undefined;
  const tooFine = typeof rule.to === 'number' && bandWidth(rule.to).scale > (scale ?? bandDecimals);
  if (isGeneralisable(kind, rule.to) && !tooFine) return undefined;
  const decimals = tooFine ? ` with at most ${scale} decimals` : '';
  return [
    `generalise to ${rule.to} cannot treat ${column.name}, which is ${column.typeText}`,
    `Write to: ${coarseness}${decimals}.`,
  ];
}

/** A column whose every value is too short would be nothing but dead letters. */
function checkLength(
  rule: ColumnRule & { action: 'format-preserving' },
  column: CatalogColumn,
): Problem | undefined {
  const length = /^character(?: varying)?\((\d+)\)/.exec(column.typeText)?.[1];
  const shortest = shortestFormatted(rule.alphabet);
  if (length === undefined || Number(length) >= shortest) return undefined;
  return [
    `${column.name} is ${column.typeText}: too short for format-preserving, which needs ${shortest} ${rule.alphabet}`,
    'Use hash or tokenise.',
  ];
}

/** An array of plain values has one path, and its elements one kind. */
function checkItems(rule: ColumnRule & { action: 'paths' }, column: CatalogColumn): Problem | undefined {
  const other = Object.keys(rule.paths).find((path) => path !== '[]');
  if (other !== undefined) {
    return [`${column.name} is ${column.typeText}: it has no path ${other}`, "Write one path: '[]'."];
  }
  const inner = rule.paths['[]']!;
  const element = elementKind(column)!;
  if (treatsElement(inner, element)) return undefined;
  return [
    `${inner.action} cannot treat the elements of ${column.name}, which is ${column.typeText}`,
    'Use one of: keep, null, hash, tokenise, encrypt.',
  ];
}

function treatsElement(inner: PathRule, element: 'text' | 'int' | 'long'): boolean {
  if (inner.action !== 'generalise') return cleanKind(inner as ColumnRule, element) !== undefined;
  return element === 'text' ? typeof inner.to === 'string' : isGeneralisable(element, inner.to);
}
