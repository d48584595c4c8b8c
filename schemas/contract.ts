import { z } from 'zod';
import { parseDurationMs } from './duration.ts';
import { bandDecimals, periods } from './generalise.ts';

/** What a column holds. One vocabulary for all contracts; `person.*`, `payment.*` and `network.*` are personal. */
export const classifications = [
  'public',
  'internal',
  'person.id',
  'person.name',
  'person.contact',
  'person.address',
  'person.birth',
  'person.national-id',
  'person.health',
  'payment.card',
  'payment.bank',
  'network.address',
  'location',
  'content.free-text',
  'credential',
] as const;
export type Classification = (typeof classifications)[number];

export const sinkNames = ['elasticsearch', 'clickhouse'] as const;
export type SinkName = (typeof sinkNames)[number];

const classification = z.enum(classifications);
const name = z.string().min(1).max(63);

/** A column and what becomes of it on its way to the clean topic. */
export const columnRule = z.discriminatedUnion('action', [
  z.strictObject({ classification, action: z.literal('keep') }),
  z.strictObject({ classification, action: z.literal('drop') }),
  z.strictObject({ classification, action: z.literal('null') }),
  z.strictObject({
    classification,
    action: z.literal('mask'),
    /** Code points left readable at the start. */
    keepStart: z.int().min(0).max(16).default(0),
    /** Code points left readable at the end. */
    keepEnd: z.int().min(0).max(16).default(0),
  }),
  z.strictObject({
    classification,
    action: z.literal('truncate'),
    /** Code points that are kept of the start; nothing shows that more were there. */
    keep: z.int().min(1).max(1_000),
  }),
  z.strictObject({
    classification,
    action: z.literal('generalise'),
    /** A period of time, or the width of a band of numbers. */
    to: z.union([
      z.enum(periods),
      z
        .number()
        .min(10 ** -bandDecimals)
        .max(1e15)
        .refine(
          (width) => Number(width.toFixed(bandDecimals)) === width,
          `write at most ${bandDecimals} decimals`,
        ),
    ]),
  }),
  z.strictObject({
    classification,
    action: z.literal('hash'),
    /** Columns with the same domain can be joined; without one the pseudonym is bound to table and column. */
    domain: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/, 'a domain is lower-case letters, digits and hyphens')
      .optional(),
  }),
  z.strictObject({ classification, action: z.literal('encrypt') }),
]);
export type ColumnRule = z.infer<typeof columnRule>;
export type ActionName = ColumnRule['action'];
export const actionNames = [
  'keep',
  'drop',
  'null',
  'mask',
  'truncate',
  'generalise',
  'hash',
  'encrypt',
] as const satisfies ActionName[];

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
  subject: z.strictObject({ type: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/), key: name }).optional(),
  sinks: z.array(z.enum(sinkNames)),
  /** Staleness objective: how old a derived store may be, for example `30s`. */
  staleness: z
    .string()
    .refine((text) => parseDurationMs(text) !== undefined, 'write a duration: 500ms, 30s, 5m, 1h'),
  columns: z.record(name, columnRule),
});
export type Contract = z.infer<typeof contractShape>;

/** `schema.table` in its two parts. */
export function tableParts(table: string): { schema: string; table: string } {
  const [schema, rest] = table.split('.') as [string, string];
  return { schema, table: rest };
}
