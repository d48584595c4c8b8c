import { z } from 'zod';
import { pathShape } from './lookup-path.ts';
import type { ValueKind } from './value-kind.ts';

const name = z.string().min(1).max(63);
const values = z.array(z.union([z.string(), z.number(), z.boolean()])).min(1);

/** One condition on a row's own column. null is in no list and outside of none: what is not known does not pass. */
export const conditionShape = z.union([
  z.strictObject({ column: name, in: values }),
  z.strictObject({ column: name, notIn: values }),
  z.strictObject({ column: name, is: z.enum(['empty', 'present']) }),
]);
export type ConditionRule = z.infer<typeof conditionShape>;

const consent = {
  /** What the table is used for, for example marketing. */
  purpose: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a purpose is lower-case letters, digits and hyphens'),
  /** Values that mean yes; true if left out. Anything else, and null, means no. */
  granted: values.default([true]),
};

/** Whether a person has agreed to a purpose, by a column of the row or by a path over foreign keys. */
export const consentShape = z.union([
  z.strictObject({ ...consent, column: name }),
  z.strictObject({ ...consent, path: pathShape }),
]);
export type ConsentRule = z.infer<typeof consentShape>;

/** A condition, ready to be tested: `test` takes the value's canonical text, or null. */
export interface RowCondition {
  readonly column: string;
  readonly kind: ValueKind;
  readonly test: (text: string | null) => boolean;
}

/** Kinds whose canonical text is also what a person writes. */
export const conditionKinds: ReadonlySet<ValueKind> = new Set([
  'boolean',
  'text',
  'int',
  'long',
  'uuid',
  'inet',
  'date',
]);

/** What must hold of the row's own columns for it to pass: all conditions, and the consent unless it is by a path. */
export function conditionsOf(contract: {
  readonly where?: readonly ConditionRule[] | undefined;
  readonly consent?: ConsentRule | undefined;
}): readonly ConditionRule[] {
  const { where = [], consent } = contract;
  return consent && 'column' in consent ? [...where, { column: consent.column, in: consent.granted }] : where;
}

/** The test of a condition. */
export function conditionTest(rule: ConditionRule): (text: string | null) => boolean {
  if ('is' in rule) return rule.is === 'empty' ? (text) => text === null : (text) => text !== null;
  const listed = new Set(('in' in rule ? rule.in : rule.notIn).map(String));
  const wanted = 'in' in rule;
  return (text) => text !== null && listed.has(text) === wanted;
}
