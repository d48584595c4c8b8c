import type { ColumnRule, PathRule } from '../../schemas/column-rule.ts';
import { canonicalJson, type Json, JsonNumber, parseJson } from '../json.ts';
import { VerifyError } from '../verify-error.ts';
import { coarseText, firstPoints } from './coarse.ts';
import { formattedText } from './format-preserving.ts';
import { isArray } from './kind.ts';
import { networkText } from './network.ts';
import { normalFromSource } from './normal-form.ts';
import { type AtLeaf, leafText, passedBy, ruledPaths } from './path-map.ts';
import { keyedSubkey, type KeyedRule, maskOf, pseudonymOf } from './protect.ts';
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

/** The roots of the keys that pseudonyms, tokens and formats are made with. */
export interface Roots {
  /** Of what belongs to no subject. */
  shared(): Buffer;
  /** Of a subject's own; undefined where the table has no subject. */
  readonly own?: ((subject: string) => Buffer) | undefined;
}

/** What a row gives beside the value. */
export interface RowFacts {
  /** Names in the row's own columns. */
  readonly names: readonly string[];
  /** Canonical text of its subject. */
  readonly subject: string | null;
}

/** A domain says that a key is shared, where the rule does not say otherwise; a primary key's always is. */
function isSharedRule(rule: ColumnRule | PathRule, isKey: boolean): boolean {
  if (isKey || !('under' in rule || 'domain' in rule)) return isKey;
  return rule.under === undefined ? rule.domain !== undefined : rule.under === 'shared';
}

/** Normal form of what a reader must find. */
export type Protect = (text: string, row: RowFacts) => string;

/** Compiles the normal form of what a reader must find, of what Postgres prints; of an encrypted value, after opening it. */
export function compileProtect(table: string, column: ColumnCheck, roots: Roots): Protect {
  const { kind, rule, name } = column;
  if (rule.action === 'paths') return compilePaths(table, column, rule.paths, roots);
  if (rule.action === 'generalise' && rule.to !== 'network') {
    return (text) => normalFromSource(kind, coarseText(kind, text, rule.to));
  }
  const act = compileText(table, name, rule, column.isKey, roots);
  if (!act) return (text) => normalFromSource(kind, text);
  return (text, row) => {
    const result = act(canonicalText(kind, text, column.fractionDigits), row);
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
  isKey: boolean,
  roots: Roots,
): ((text: string, row: RowFacts) => string | undefined) | undefined {
  switch (rule.action) {
    case 'mask':
      return (text) => maskOf(text, rule.keepStart, rule.keepEnd);
    case 'truncate':
      return (text) => firstPoints(text, rule.keep);
    case 'generalise': {
      const { v4 = usualBits.v4, v6 = usualBits.v6 } = rule;
      return (text) => networkText(text, v4, v6);
    }
    case 'hash':
      return withKey(table, place, rule, isKey, roots, pseudonymOf);
    case 'tokenise':
      return withKey(table, place, rule, isKey, roots, tokenOf);
    case 'format-preserving':
      return withKey(table, place, rule, isKey, roots, (key, text) =>
        formattedText(key, rule.alphabet, text),
      );
    case 'redact': {
      const kinds = new Set(rule.kinds ?? everyKind);
      return (text, { names }) => redactedText(text, kinds, names);
    }
    default:
      return undefined;
  }
}

/** What is made of a text with the column's key, or with that of the row's own subject. */
function withKey(
  table: string,
  place: string,
  rule: KeyedRule & (ColumnRule | PathRule),
  isKey: boolean,
  roots: Roots,
  make: (key: Buffer, text: string) => string,
): (text: string, row: RowFacts) => string {
  const { own } = roots;
  if (!own || isSharedRule(rule, isKey)) {
    const key = keyedSubkey(roots.shared(), table, place, rule);
    return (text) => make(key, text);
  }
  const keys = new Map<string, Buffer>();
  return (text, { subject }) => {
    if (subject === null) throw new VerifyError('DATA_MALFORMED', `a row of ${table} has no subject`);
    const key = keys.get(subject) ?? keyedSubkey(own(subject), table, place, rule);
    keys.set(subject, key);
    return make(key, text);
  };
}

function compilePaths(
  table: string,
  column: ColumnCheck,
  paths: Readonly<Record<string, PathRule>>,
  roots: Roots,
): Protect {
  const ruled = ruledPaths(paths);
  const texts = new Map(
    ruled.map(
      ({ path, rule }) =>
        [path, compileText(table, `${column.name}#${path}`, rule, column.isKey, roots)] as const,
    ),
  );
  const atLeaf =
    (row: RowFacts): AtLeaf =>
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
      const text = texts.get(path)!(leafText(value), row);
      // A number in which there is nothing to redact stays a number.
      return rule.action === 'redact' && typeof value !== 'string' && text === leafText(value) ? value : text;
    };
  return (text, row) => canonicalJson(passedBy(parseJson(text), ruled, atLeaf(row)) ?? null);
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
