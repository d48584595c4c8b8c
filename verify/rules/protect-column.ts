import type { ColumnRule, PathRule } from '../../schemas/column-rule.ts';
import { canonicalJson, type Json, JsonNumber, parseJson } from '../json.ts';
import { VerifyError } from '../verify-error.ts';
import { coarseText, firstPoints } from './coarse.ts';
import { formattedText } from './format-preserving.ts';
import { isArray } from './kind.ts';
import { networkText } from './network.ts';
import { normalFromSource } from './normal-form.ts';
import { type AtLeaf, leafText, passedBy, ruledPaths } from './path-map.ts';
import { columnKeyOf, maskOf, pseudonymOf } from './protect.ts';
import { redactedText } from './redact.ts';
import { canonicalText } from './source-text.ts';
import type { ColumnCheck } from './table-check.ts';
import { tokenOf } from './token.ts';

const everyKind = ['email', 'phone', 'card', 'iban', 'national-id', 'ip', 'name'] as const;

/** Bits of an address that are kept where a contract says nothing. */
const usualBits = { v4: 24, v6: 48 };

/** Stands around a value that is to be found encrypted and was opened. */
export function opened(value: Json): Json {
  return new Map([['opened', value]]);
}

export function needsSecret(rule: ColumnRule): boolean {
  const rules = rule.action === 'paths' ? Object.values(rule.paths) : [rule];
  return rules.some(({ action }) => ['hash', 'tokenise', 'format-preserving'].includes(action));
}

/** Normal form of what a reader must find; `names` are those in the row's own columns. */
export type Protect = (text: string, names: readonly string[]) => string;

/** Compiles the normal form of what a reader must find, of what Postgres prints; of an encrypted value, after opening it. */
export function compileProtect(table: string, column: ColumnCheck, secret: Buffer | undefined): Protect {
  const { kind, rule, name } = column;
  if (rule.action === 'paths') return compilePaths(table, column, rule.paths, secret);
  if (rule.action === 'generalise' && rule.to !== 'network') {
    return (text) => normalFromSource(kind, coarseText(kind, text, rule.to));
  }
  const act = compileText(table, name, rule, secret);
  if (!act) return (text) => normalFromSource(kind, text);
  return (text, names) => {
    const result = act(canonicalText(kind, text, column.fractionDigits), names);
    if (result === undefined)
      throw new VerifyError('NOT_COVERED', `a value of ${table}.${name} under ${rule.action}`);
    return result;
  };
}

/** What an action makes of a canonical text; undefined for an action that makes no text of it. */
function compileText(
  table: string,
  place: string,
  rule: ColumnRule | PathRule,
  secret: Buffer | undefined,
): ((text: string, names: readonly string[]) => string | undefined) | undefined {
  switch (rule.action) {
    case 'mask':
      return (text) => maskOf(text, rule.keepStart, rule.keepEnd);
    case 'truncate':
      return (text) => firstPoints(text, rule.keep);
    case 'generalise': {
      const { v4 = usualBits.v4, v6 = usualBits.v6 } = rule;
      return (text) => networkText(text, v4, v6);
    }
    case 'hash': {
      const key = columnKeyOf(secret!, 'hash', table, place, rule.domain);
      return (text) => pseudonymOf(key, text);
    }
    case 'tokenise': {
      const key = columnKeyOf(secret!, 'tokenise', table, place, rule.domain);
      return (text) => tokenOf(key, text);
    }
    case 'format-preserving': {
      const key = columnKeyOf(secret!, 'format-preserving', table, place, rule.domain);
      return (text) => formattedText(key, rule.alphabet, text);
    }
    case 'redact': {
      const kinds = new Set(rule.kinds ?? everyKind);
      return (text, names) => redactedText(text, kinds, names);
    }
    default:
      return undefined;
  }
}

function compilePaths(
  table: string,
  column: ColumnCheck,
  paths: Readonly<Record<string, PathRule>>,
  secret: Buffer | undefined,
): Protect {
  const ruled = ruledPaths(paths);
  const texts = new Map(
    ruled.map(
      ({ path, rule }) => [path, compileText(table, `${column.name}#${path}`, rule, secret)] as const,
    ),
  );
  const atLeaf =
    (names: readonly string[]): AtLeaf =>
    (value, { path, rule }) => {
      switch (rule.action) {
        case 'keep':
          return value;
        case 'null':
          return null;
        case 'encrypt':
          return opened(value);
        case 'generalise':
          if (typeof rule.to === 'number') {
            if (!(value instanceof JsonNumber) || exponentOf(value.text) > 400) return undefined;
            return new JsonNumber(coarseText('decimal', value.text.toLowerCase(), rule.to));
          }
          if (rule.to !== 'network') return typeof value === 'string' ? periodOf(value, rule.to) : undefined;
      }
      const text = texts.get(path)!(leafText(value), names);
      // A number in which there is nothing to redact stays a number.
      return rule.action === 'redact' && typeof value !== 'string' && text === leafText(value) ? value : text;
    };
  return (text, names) => canonicalJson(passedBy(parseJson(text), ruled, atLeaf(names)) ?? null);
}

/** Beyond 400 there is no number worth a band, only one that fills the memory with zeros. */
function exponentOf(text: string): number {
  return Math.abs(Number(/e(.*)$/i.exec(text)?.[1] ?? 0));
}

/** The first day of the period of a text that begins with a date. */
function periodOf(text: string, to: string): string | undefined {
  const [date = ''] = text.split(/[T ]/, 1);
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  if (to === 'year') return `${date.slice(0, 4)}-01-01`;
  return to === 'month' ? `${date.slice(0, 7)}-01` : date;
}

/** Kind of the elements that a reader must find in an array under paths: numbers stay numbers where they are not replaced. */
export function foundKind(column: ColumnCheck): ColumnCheck['kind'] {
  const { kind, rule } = column;
  if (!isArray(kind) || rule.action !== 'paths') return kind;
  const stay = Object.values(rule.paths).every(({ action }) =>
    ['keep', 'null', 'generalise'].includes(action),
  );
  return stay ? kind : 'text[]';
}
