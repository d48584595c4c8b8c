import type { Finding } from '../finding.ts';
import { isClassification } from '../vocabulary.ts';
import type { HouseRules } from './load-rules.ts';

/** Where the actions stand that a contract does not give itself: `file:line` by field, `columns.phone`. */
export type Origins = ReadonlyMap<string, string>;

type Fields = Readonly<Record<string, unknown>>;

/**
 * A contract as it is written, with the default action where a column or a path gives its classification and no
 * action. What it gives beside the classification holds over the default's options.
 */
export function withDefaults(
  contract: unknown,
  house: HouseRules | undefined,
): { value: unknown; origins: Origins } {
  const origins = new Map<string, string>();
  const complete = (rule: unknown, field: string): unknown => {
    if (!isMap(rule) || Object.hasOwn(rule, 'action')) return rule;
    const { classification } = rule;
    // The classification is at fault and is told; that the action is missing too would hide it.
    if (typeof classification === 'string' && !isClassification(classification)) {
      return { classification, action: 'drop' };
    }
    const found = isClassification(classification) ? house?.defaults[classification] : undefined;
    if (!house || !found) return rule;
    const { line } = house.document.keyAt(['defaults', String(classification)]);
    origins.set(field, `${house.document.file}:${line}`);
    return { ...found, ...rule };
  };
  const value = mapOf(contract, 'columns', (column, name) => {
    const field = `columns.${name}`;
    return mapOf(complete(column, field), 'paths', (rule, path) => complete(rule, `${field}.paths.${path}`));
  });
  return { value, origins };
}

/** A finding below a field whose action comes from the house rules says so. */
export function withOrigin(finding: Finding, origins: Origins | undefined): Finding {
  const origin = [...(origins ?? [])].find(([field]) => finding.field.startsWith(`${field}.`));
  if (!origin) return finding;
  return { ...finding, message: `${finding.message} (the action comes from ${origin[1]})` };
}

/** The value with each entry of the map at its key changed; unchanged if there is no such map. */
function mapOf(value: unknown, key: string, change: (item: unknown, name: string) => unknown): unknown {
  if (!isMap(value) || !isMap(value[key])) return value;
  const entries = Object.entries(value[key]).map(([name, item]) => [name, change(item, name)] as const);
  return { ...value, [key]: Object.fromEntries(entries) };
}

function isMap(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
