import { z } from 'zod';
import { columnRule } from './column-rule.ts';
import { parseDurationMs } from './duration.ts';
import { erasureShape } from './erasure-rule.ts';
import { pathShape } from './lookup-path.ts';
import { conditionShape, consentShape } from './row-condition.ts';
import { sinkNames } from './sink-name.ts';

const name = z.string().min(1).max(63);
const subjectType = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);
const duration = z
  .string()
  .refine((text) => parseDurationMs(text) !== undefined, 'write a duration: 500ms, 30s, 5m, 1h');

export const contractShape = z.strictObject({
  /** `schema.table` in Postgres. */
  table: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$/, 'write schema.table, letters, digits and _'),
  /** Who answers for this contract. */
  owner: z.string().min(1),
  /** 0 must be correct, 1 correct soon, 2 best effort. */
  tier: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  /** Whose data a row is: the kind of person and the column that says which one. */
  subject: z
    .union([
      z.strictObject({ type: subjectType, key: name }),
      /** Or a path over foreign keys to that column. */
      z.strictObject({ type: subjectType, path: pathShape }),
    ])
    .optional(),
  /** Which rows pass: all conditions must hold. A row of which they no longer hold is deleted downstream. */
  where: z.array(conditionShape).optional(),
  /** Rows of people who did not agree to the purpose do not pass. */
  consent: consentShape.optional(),
  /** How long a row waits for a row of its paths that has not come yet. */
  parking: z.strictObject({ deadline: duration.default('10m') }).optional(),
  /** What becomes of a person's rows when the person is erased. */
  erasure: erasureShape.optional(),
  sinks: z.array(z.enum(sinkNames)),
  /** Staleness objective: how old a derived store may be, for example `30s`. */
  staleness: duration,
  /** What becomes of the table when it has a column that stands in no contract: the column does not pass, or nothing does. */
  unclassified: z.enum(['drop', 'halt']).optional(),
  /** What becomes of a TRUNCATE at the source: the table waits for a person, the rows stay, or all of them are deleted. */
  truncate: z.enum(['halt', 'ignore', 'delete']).optional(),
  columns: z.record(name, columnRule),
});
export type Contract = z.infer<typeof contractShape>;

/** `schema.table` in its two parts. */
export function tableParts(table: string): { schema: string; table: string } {
  const [schema, rest] = table.split('.') as [string, string];
  return { schema, table: rest };
}
