import { z } from 'zod';
import { formatAlphabets, type FormatAlphabet } from './format-alphabet.ts';
import { bandDecimals, periods } from './generalise.ts';
import { parsePath } from './json-path.ts';
import { classifications } from './vocabulary.ts';

const classification = z.enum(classifications);
const domain = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'a domain is lower-case letters, digits and hyphens')
  .optional();

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
  },
  tokenise: { action: z.literal('tokenise'), domain },
  'format-preserving': {
    action: z.literal('format-preserving'),
    alphabet: z.enum(Object.keys(formatAlphabets) as [FormatAlphabet, ...FormatAlphabet[]]).default('digits'),
    domain,
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
  z.strictObject({ classification: classification.optional(), ...shapes.encrypt }),
]);
export type PathRule = z.infer<typeof pathRule>;

const path = z
  .string()
  .refine(
    (text) => parsePath(text) !== undefined,
    'write a path: keys parted by dots, [] for the elements of an array, * for any key, ** at the end for all below',
  );

/** A column and what becomes of it on its way to the clean topic. */
export const columnRule = z.discriminatedUnion('action', [
  z.strictObject({ classification, ...shapes.keep }),
  z.strictObject({ classification, ...shapes.drop }),
  z.strictObject({ classification, ...shapes.null }),
  z.strictObject({ classification, ...shapes.mask }),
  z.strictObject({ classification, ...shapes.truncate }),
  z.strictObject({ classification, ...shapes.generalise }),
  z.strictObject({ classification, ...shapes.hash }),
  z.strictObject({ classification, ...shapes.tokenise }),
  z.strictObject({ classification, ...shapes['format-preserving'] }),
  z.strictObject({ classification, ...shapes.encrypt }),
  z.strictObject({
    classification,
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
