import { createHmac } from 'node:crypto';
import type { KeyUse } from '../schemas/key-use.ts';
import { redactionKinds } from '../schemas/redaction.ts';
import { unexpected } from './avro-skip.ts';
import type { RowContext } from './column-action.ts';
import { compileFormatPreserving } from './format-preserving.ts';
import { networkOf } from './network.ts';
import { isOwn, keyedUse, type Ruled } from './protection.ts';
import { redactText } from './redact/redact-text.ts';
import { compileToken } from './token.ts';

/** Makes what stands in place of a text; undefined where it is no text that the action can treat. */
export type TextAction = (text: string, row: RowContext) => string | undefined;

/** A shared key, fetched before compiling; throws for one that is not there. */
export type SharedKeys = (use: KeyUse) => Buffer;

/** Always the same number of marks, so that a mask does not tell the length. */
const maskMarks = '****';

/** Shows `keepStart` and `keepEnd` code points; a value that short is masked whole. */
export function maskText(value: string, keepStart: number, keepEnd: number): string {
  const points = Array.from(value);
  if (points.length <= keepStart + keepEnd) return maskMarks;
  return points.slice(0, keepStart).join('') + maskMarks + points.slice(points.length - keepEnd).join('');
}

/** base64url of HMAC-SHA-256, 43 characters. */
export function pseudonym(key: Buffer, canonicalText: string): string {
  return createHmac('sha256', key).update(canonicalText).digest('base64url');
}

/** Where a rule's keys come from. */
export interface KeySources {
  readonly hasSubject: boolean;
  readonly keys: SharedKeys;
}

/**
 * Compiles an action that turns a canonical text into a text; undefined for the others. `path` is the place within the
 * column, where it has one.
 */
export function compileTextAction(ruled: Ruled, sources: KeySources): TextAction | undefined {
  const { rule, column } = ruled;
  switch (rule.action) {
    case 'mask':
      return (text) => maskText(text, rule.keepStart, rule.keepEnd);
    case 'truncate':
      return (text) => Array.from(text).slice(0, rule.keep).join('');
    case 'generalise':
      return rule.to === 'network' ? (text) => networkOf(text, rule.v4, rule.v6) : undefined;
    case 'hash':
      return keyed(ruled, sources, (key) => (text) => pseudonym(key, text));
    case 'tokenise':
      return keyed(ruled, sources, compileToken);
    case 'format-preserving':
      return keyed(ruled, sources, (key) => compileFormatPreserving(column.name, rule.alphabet, key));
    case 'redact': {
      const kinds = new Set(rule.kinds ?? redactionKinds);
      return (text, { names }) => redactText(text, kinds, names);
    }
    default:
      return undefined;
  }
}

/** What is made with a key: one that all rows share, made now, or the subject's own, made when the first of its rows comes. */
function keyed(
  ruled: Ruled,
  { hasSubject, keys }: KeySources,
  make: (key: Buffer) => (text: string) => string,
): TextAction {
  const use = keyedUse(ruled)!;
  if (!isOwn(hasSubject, ruled)) return make(keys(use));
  return (text, { dataKey }) => {
    // Fail closed: without the subject's key there is no way on that would unlink with it.
    if (!dataKey) throw unexpected(`column ${ruled.column.name} has no data key`);
    return dataKey.made(use, make)(text);
  };
}
