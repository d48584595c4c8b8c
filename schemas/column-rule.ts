import { z } from 'zod';
import { formatAlphabets, type FormatAlphabet } from './format-alphabet.ts';
import { bandDecimals, periods } from './generalise.ts';
import { parsePath } from './json-path.ts';
import { redactionKinds } from './redaction.ts';
import { sinkNames } from './sink-name.ts';
import { classifications } from './vocabulary.ts';

const classification = z.enum(classifications);
const domain = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'a domain is lower-case letters, digits and hyphens')
  .optional();
/** Whose key it is made with; see subject-keys.ts. */
const under = z.enum(['subject', 'shared']).optional();

/** Actions with their options, without the column's classification. */
const shapes = {
  keep: { action: z.literal('keep') },
  drop: { action: z.literal('drop') },
  null: { action: z.literal('null') },
  mask: {
    action: z.literal('mask'),
    /** Code points left readable at the start. */
    keepStart: z.int().min(0).max(16).default(0),
    /** Code points left readable at the end. */
    keepEnd: z.int().min(0).max(16).default(0),
  },
  truncate: {
    action: z.literal('truncate'),
    /** Code points that are kept of the start; nothing shows that more were there. */
    keep: z.int().min(1).max(1_000),
  },
  generalise: {
    action: z.literal('generalise'),
    /** A period of time, `network` for an address, or the width of a band of numbers. */
    to: z.union([
      z.enum([...periods, 'network']),
      z
        .number()
        .min(10 ** -bandDecimals)
        .max(1e15)
        .refine(
          (width) => Number(width.toFixed(bandDecimals)) === width,
          `write at most ${bandDecimals} decimals`,
        ),
    ]),
    /** Bits that are kept of an IPv4 address, for `to: network`; 24 if left out. */
    v4: z.int().min(1).max(31).optional(),
    /** Bits that are kept of an IPv6 address, for `to: network`; 48 if left out. */
    v6: z.int().min(1).max(127).optional(),
  },
  hash: {
    action: z.literal('hash'),
    /** Columns with the same domain can be joined; without one the pseudonym is bound to table and column. */
    domain,
    under,
  },
  tokenise: { action: z.literal('tokenise'), domain, under },
  'format-preserving': {
    action: z.literal('format-preserving'),
    alphabet: z.enum(Object.keys(formatAlphabets) as [FormatAlphabet, ...FormatAlphabet[]]).default('digits'),
    domain,
    under,
  },
  redact: {
    action: z.literal('redact'),
    /** What is looked for; everything if left out. */
    kinds: z.array(z.enum(redactionKinds)).min(1).optional(),
    /** Columns of the row whose values are names, found by the kind `name`. */
    names: z.array(z.string().min(1).max(63)).min(1).optional(),
  },
  encrypt: { action: z.literal('encrypt') },
} as const;

/** What becomes of the value at a path. Its classification is the column's unless it has its own. */
export const pathRule = z.discriminatedUnion('action', [
  z.strictObject({ classification: classification.optional(), ...shapes.keep }),
  z.strictObject({ classification: classification.optional(), ...shapes.drop }),
  z.strictObject({ classification: classification.optional(), ...shapes.null }),
  z.strictObject({ classification: classification.optional(), ...shapes.mask }),
  z.strictObject({ classification: classification.optional(), ...shapes.truncate }),
  z.strictObject({ classification: classification.optional(), ...shapes.generalise }),
  z.strictObject({ classification: classification.optional(), ...shapes.hash }),
  z.strictObject({ classification: classification.optional(), ...shapes.tokenise }),
  z.strictObject({ classification: classification.optional(), ...shapes['format-preserving'] }),
  z.strictObject({ classification: classification.optional(), ...shapes.redact }),
  z.strictObject({ classification: classification.optional(), ...shapes.encrypt }),
]);
export type PathRule = z.infer<typeof pathRule>;

/** What a column has beside its action. */
const column = {
  classification,
  /** The stores that get the column; all of the contract's if left out. The clean topic has it in any case. */
  sinks: z.array(z.enum(sinkNames)).optional(),
  /** false: Elasticsearch stores it and cannot be searched by it. */
  searchable: z.boolean().optional(),
};

const path = z
  .string()
  .refine(
    (text) => parsePath(text) !== undefined,
    'write a path: keys parted by dots, [] for the elements of an array, * for any key, ** at the end for all below',
  );

/** A column and what becomes of it on its way to the clean topic. */
export const columnRule = z.discriminatedUnion('action', [
  z.strictObject({ ...column, ...shapes.keep }),
  z.strictObject({ ...column, ...shapes.drop }),
  z.strictObject({ ...column, ...shapes.null }),
  z.strictObject({ ...column, ...shapes.mask }),
  z.strictObject({ ...column, ...shapes.truncate }),
  z.strictObject({ ...column, ...shapes.generalise }),
  z.strictObject({ ...column, ...shapes.hash }),
  z.strictObject({ ...column, ...shapes.tokenise }),
  z.strictObject({ ...column, ...shapes['format-preserving'] }),
  z.strictObject({ ...column, ...shapes.redact }),
  z.strictObject({ ...column, ...shapes.encrypt }),
  z.strictObject({
    ...column,
    action: z.literal('paths'),
    /** What no path names does not pass. */
    paths: z.record(path, pathRule).refine((all) => Object.keys(all).length > 0, 'name at least one path'),
  }),
]);
export type ColumnRule = z.infer<typeof columnRule>;
export type ActionName = ColumnRule['action'];

/** Every action, in the order in which it is explained. */
export const actionNames = [
  'keep',
  'drop',
  'null',
  'mask',
  'truncate',
  'generalise',
  'hash',
  'tokenise',
  'format-preserving',
  'redact',
  'encrypt',
  'paths',
] as const satisfies ActionName[];

/** The rules that treat values: the column's own, or those of its paths. */
export function innermostRules(rule: ColumnRule): readonly (ColumnRule | PathRule)[] {
  return rule.action === 'paths' ? Object.values(rule.paths) : [rule];
}

/** Is a value of the column, or a part of it, put under the subject's own key? */
export function encrypts(rule: ColumnRule): boolean {
  return innermostRules(rule).some(({ action }) => action === 'encrypt');
}

/** Columns of the row that hold names which the rule redacts; none for any other action. */
export function nameColumns(rule: ColumnRule): readonly string[] {
  return innermostRules(rule).flatMap((inner) => (inner.action === 'redact' ? (inner.names ?? []) : []));
}
