import type { ColumnRule, PathRule } from '../column-rule.ts';

const ofTheStores: ReadonlySet<string> = new Set(['sinks', 'searchable'] satisfies (keyof ColumnRule)[]);

/** A rule in a few words, options included: `mask, keepEnd 2`, `generalise, to year`, `drop`. Options that are left out are not told, nor which
 * stores get the column. */
export function ruleText(rule: ColumnRule | PathRule): string {
  const { action, classification: _, ...options } = rule;
  const told = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === 0 || ofTheStores.has(name)) return [];
    if (name === action) return [optionText(value)];
    return [`${name} ${optionText(value)}`];
  });
  return [action, ...told].join(', ');
}

function optionText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(' and ');
  return typeof value === 'object' && value !== null ? Object.keys(value).join(' and ') : String(value);
}
