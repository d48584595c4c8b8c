import { createHmac, type KeyObject } from 'node:crypto';
import type { ColumnRule, PathRule } from '../schemas/column-rule.ts';
import { redactionKinds } from '../schemas/redaction.ts';
import { compileFormatPreserving } from './format-preserving.ts';
import { networkOf } from './network.ts';
import { type SecretPurpose, secretName } from './protection.ts';
import { redactText } from './redact/redact-text.ts';
import { compileToken } from './token.ts';

/** Makes what stands in place of a text; undefined where it is no text that the action can treat. `names` are the row's. */
export type TextAction = (text: string, names: readonly string[]) => string | undefined;

/** A secret by its name, fetched before compiling; throws for one that is not there. */
export type Secrets = (purpose: SecretPurpose, scope: string) => KeyObject;

/** Always the same number of marks, so that a mask does not tell the length. */
const maskMarks = '****';

/** Shows `keepStart` and `keepEnd` code points; a value that short is masked whole. */
export function maskText(value: string, keepStart: number, keepEnd: number): string {
  const points = Array.from(value);
  if (points.length <= keepStart + keepEnd) return maskMarks;
  return points.slice(0, keepStart).join('') + maskMarks + points.slice(points.length - keepEnd).join('');
}

/** base64url of HMAC-SHA-256, 43 characters. */
export function pseudonym(key: KeyObject, canonicalText: string): string {
  return createHmac('sha256', key).update(canonicalText).digest('base64url');
}

/**
 * Compiles an action that turns a canonical text into a text; undefined for the others. `path` is the place within the
 * column, where it has one.
 */
export function compileTextAction(
  table: string,
  column: string,
  rule: ColumnRule | PathRule,
  secrets: Secrets,
  path?: string,
): TextAction | undefined {
  const secret = () => {
    const { purpose, scope } = secretName(table, column, rule, path)!;
    return secrets(purpose, scope);
  };
  switch (rule.action) {
    case 'mask':
      return (text) => maskText(text, rule.keepStart, rule.keepEnd);
    case 'truncate':
      return (text) => Array.from(text).slice(0, rule.keep).join('');
    case 'generalise':
      return rule.to === 'network' ? (text) => networkOf(text, rule.v4, rule.v6) : undefined;
    case 'hash': {
      const key = secret();
      return (text) => pseudonym(key, text);
    }
    case 'tokenise':
      return compileToken(secret());
    case 'format-preserving':
      return compileFormatPreserving(column, rule.alphabet, secret());
    case 'redact': {
      const kinds = new Set(rule.kinds ?? redactionKinds);
      return (text, names) => redactText(text, kinds, names);
    }
    default:
      return undefined;
  }
}
