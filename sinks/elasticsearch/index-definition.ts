import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { type FieldMapping, fieldMapping, metaField, metaMapping } from './types.ts';

/** What makes an index ours: stands in the mapping's `_meta` and never changes. */
export interface Mark {
  readonly lethe: { readonly pipeline: string; readonly table: string };
}

export interface IndexDefinition {
  readonly mark: Mark;
  readonly properties: Readonly<Record<string, FieldMapping>>;
  /** `index.mapping.total_fields.limit` that the mapping needs at least. */
  readonly totalFieldsLimit: number;
}

/** Elasticsearch's own default of the limit. */
export const defaultTotalFieldsLimit = 1_000;

/** How the readers' alias stands on its index: they do not see deleted rows. */
export const aliasDefinition = {
  filter: { bool: { must_not: [{ term: { [`${metaField}.deleted`]: true } }] } },
} as const;

export function markOf(config: Pick<Config, 'name'>, table: string): Mark {
  return { lethe: { pipeline: config.name, table } };
}

/** The index of a dataset: strict, explicit, and the same for everyone who derives it. */
export function indexDefinition(config: Pick<Config, 'name'>, dataset: Dataset): IndexDefinition {
  const properties: Record<string, FieldMapping> = {};
  for (const column of dataset.columns) properties[column.name] = fieldMapping(column);
  properties[metaField] = metaMapping;
  return {
    mark: markOf(config, dataset.table),
    properties,
    // A text column counts twice (its keyword), and so that the limit does not move with every column there is room.
    totalFieldsLimit: Math.max(
      defaultTotalFieldsLimit,
      Math.ceil((dataset.columns.length * 2 + 100) / 500) * 500,
    ),
  };
}
