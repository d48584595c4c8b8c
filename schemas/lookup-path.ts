import { z } from 'zod';

const name = z.string().min(1).max(63);
const hop = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*\.[^.]{1,63}$/, 'write schema.table.column');

/**
 * A path over foreign keys: the row's own column, then `schema.table.column` once or more. The value so far is the
 * primary key of that table's row, and the column of that row is the value from there on.
 */
export const pathShape = z.tuple([name, hop], hop);
export type PathRule = z.infer<typeof pathShape>;

/** One step of a path: `column` of the row of `table` whose primary key is the value so far. */
export interface Hop {
  readonly table: string;
  readonly column: string;
}

/** A subject's or a consent's column or path, for people. */
export function wayOf(
  rule: { readonly key: string } | { readonly column: string } | { readonly path: PathRule },
): string {
  if ('path' in rule) return rule.path.join(' -> ');
  return 'key' in rule ? rule.key : rule.column;
}

/** The hops of a path, without the row's own column. */
export function hopsOf(path: PathRule): Hop[] {
  return path.slice(1).map((text) => {
    const dot = text.lastIndexOf('.');
    return { table: text.slice(0, dot), column: text.slice(dot + 1) };
  });
}
