import { z } from 'zod';
import { type ActionName, actionNames, columnRule } from '../column-rule.ts';
import { sinkNames } from '../sink-name.ts';
import { type Classification, classifications } from '../vocabulary.ts';

/** `person.*` and its like: all classifications of one family. */
const families = new Set(
  classifications.filter((name) => name.includes('.')).map((name) => `${name.slice(0, name.indexOf('.'))}.*`),
);

/** What a rule may be for: one classification, a family of them, or `*` for all. */
export const classificationPatterns = [...classifications, ...families, '*'] as const;

const actions = z.array(z.enum(actionNames)).min(1).optional();

const ruleShape = z
  .strictObject({
    /** Whatever is of one of these has to keep the rule. */
    classification: z.array(z.enum(classificationPatterns)).min(1),
    /** Only in these tables; `*` stands for any characters of a name. */
    tables: z
      .array(z.string().regex(/^[A-Za-z0-9_*]+\.[A-Za-z0-9_*]+$/, 'write schema.table, with * for any name'))
      .min(1)
      .optional(),
    /** Actions that it must not have. */
    never: actions,
    /** Actions of which it must have one. */
    only: actions,
    /** Stores that it may go to; none if the list is empty. */
    sinks: z.array(z.enum(sinkNames)).optional(),
    /** `mostShown`: characters that a mask may leave readable, start and end together. */
    mask: z.strictObject({ mostShown: z.int().min(0).max(32) }).optional(),
    /** Told with every breach: a law, a standard, a decision. */
    because: z
      .string()
      .regex(/^\P{Cc}{1,200}$/u, 'write one line of at most 200 characters')
      .optional(),
  })
  .refine(
    ({ never, only, sinks, mask }) => [never, only, sinks, mask].some((limit) => limit !== undefined),
    'say what is asked for: never, only, sinks or mask',
  );
export type HouseRule = z.infer<typeof ruleShape>;

/** An action with its options. Which stores get a column is for its contract to say, within the rules. */
export type DefaultAction = { readonly action: ActionName } & Readonly<Record<string, unknown>>;

const [first, ...others] = (columnRule.options as readonly z.ZodObject[]).map((option) =>
  option.omit({ classification: true, sinks: true, searchable: true }),
);
const defaultAction = z.discriminatedUnion('action', [
  first as z.ZodObject<{ action: z.ZodLiteral<ActionName> }>,
  ...(others as z.ZodObject<{ action: z.ZodLiteral<ActionName> }>[]),
]);

/** The file that `rules` of lethe.yaml names. Unknown keys are refused. */
export const houseRulesShape = z.strictObject({
  /** What becomes of a column whose contract gives only its classification. */
  defaults: z
    .strictObject(
      Object.fromEntries(classifications.map((name) => [name, defaultAction.optional()])) as Record<
        Classification,
        z.ZodOptional<typeof defaultAction>
      >,
    )
    .prefault({}),
  rules: z.array(ruleShape).default([]),
});
