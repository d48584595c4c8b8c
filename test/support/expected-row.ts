import { createHmac } from 'node:crypto';
import { redactionKinds } from '../../schemas/redaction.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { civilFromDays, daysFromCivil } from '../../verify/rules/calendar.ts';
import { coarseText } from '../../verify/rules/coarse.ts';
import { formattedText } from '../../verify/rules/format-preserving.ts';
import { networkText } from '../../verify/rules/network.ts';
import { redactedText } from '../../verify/rules/redact.ts';
import { tokenOf } from '../../verify/rules/token.ts';
import { keyedSubkey, type KeyedRule } from '../../verify/rules/protect.ts';
import type { TestColumn } from './raw-events.ts';
import { sharedRoot } from './test-keys.ts';

/** `roots`: of the subject's key. Decode, act, encode: the obvious way, on decoded values and sharing nothing with the engine but the crypto's primitives. */
export function expectedRow(
  dataset: Dataset,
  columns: readonly TestColumn[],
  row: Record<string, unknown>,
  roots: Buffer,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const c of columns) {
    if (!c.rule || c.rule.action === 'drop') continue;
    const v = (c.typeName === 'numeric' ? specialDecimals.get(row[c.name]) : undefined) ?? row[c.name];
    if (v === null || c.rule.action === 'null') out[c.name] = null;
    else if (c.rule.action === 'keep') out[c.name] = v;
    else if (c.rule.action === 'mask') {
      const points = Array.from(v as string);
      out[c.name] = points.length <= 3 ? '****' : `${points[0]}****${points.slice(-2).join('')}`;
    } else if (c.rule.action === 'truncate') {
      out[c.name] = Array.from(v as string)
        .filter((_, i) => i < 3)
        .join('');
    } else if (c.rule.action === 'generalise') {
      out[c.name] = coarse(c.typeName, v, c.rule.to);
    } else if (c.rule.action === 'hash') {
      const own = keyOf(dataset, c, c.rule, roots);
      out[c.name] = createHmac('sha256', own).update(canonical(c.typeName, v)).digest('base64url');
    } else if (c.rule.action === 'tokenise') {
      out[c.name] = tokenOf(keyOf(dataset, c, c.rule, roots), canonical(c.typeName, v));
    } else if (c.rule.action === 'format-preserving') {
      const own = keyOf(dataset, c, c.rule, roots);
      out[c.name] = formattedText(own, c.rule.alphabet, v as string);
    } else if (c.rule.action === 'redact') {
      out[c.name] = redactedText(v as string, new Set(redactionKinds), []);
    } else if (c.rule.action === 'paths') {
      out[c.name] = (v as unknown[]).map((item) => element(dataset, c, item, roots));
    } else out[c.name] = v;
  }
  return out;
}

/** By the written rules: a domain's key is shared unless the rule says otherwise, any other is the subject's own. */
function keyOf(
  dataset: Dataset,
  c: TestColumn,
  rule: KeyedRule & { under?: string | undefined },
  roots: Buffer,
  path = '',
): Buffer {
  const under = rule.under ?? (rule.domain === undefined ? 'subject' : 'shared');
  const own = dataset.subject && under === 'subject';
  return keyedSubkey(own ? roots.subarray(32) : sharedRoot, dataset.table, `${c.name}${path}`, rule);
}

function canonical(typeName: string, v: unknown): string {
  if (typeName === 'date') return new Date((v as number) * 86_400_000).toISOString().replace(/T.*/, '');
  return typeof v === 'string' ? v : (v as number | bigint).toString();
}

/** An element of an array under the rule at `[]`; of an encrypted one, what was encrypted. */
function element(dataset: Dataset, c: TestColumn, item: unknown, roots: Buffer): unknown {
  const inner = c.rule?.action === 'paths' ? c.rule.paths['[]']! : undefined;
  if (item === null || inner?.action === 'null') return null;
  if (inner?.action === 'encrypt')
    return typeof item === 'string' ? JSON.stringify(item) : canonical(c.typeName, item);
  if (inner?.action !== 'hash') return item;
  const own = keyOf(dataset, c, { action: 'hash' }, roots, '#[]');
  return createHmac('sha256', own).update(canonical(c.typeName, item)).digest('base64url');
}

/** By the rules of the oracle, which share nothing with the engine. */
function coarse(typeName: string, v: unknown, to: string | number): unknown {
  const start = (days: number) => {
    const { year, month } = civilFromDays(days);
    return daysFromCivil(year, to === 'year' ? 1 : month, 1);
  };
  if (to === 'network') return networkText(v as string, 20, 48);
  switch (typeName) {
    case 'date':
      return start(v as number);
    case 'timestamp': {
      const day = 86_400_000_000n;
      const days = ((v as bigint) + 2n ** 80n * day) / day - 2n ** 80n;
      const micros = (to === 'day' ? days : BigInt(start(Number(days)))) * day;
      return micros < -(2n ** 63n) ? -(2n ** 63n) : micros;
    }
    case 'timestamptz': {
      const text = v as string;
      const fraction = text.length > 20 ? `.${'0'.repeat(text.length - 21)}` : '';
      const rest = { year: '-01-01', month: '-01', day: '' }[to as 'year' | 'month' | 'day'];
      return `${text.slice(0, 10 - rest.length)}${rest}T00:00:00${fraction}Z`;
    }
    default: {
      const text = coarseText('decimal', String(v), to);
      return typeName === 'numeric' ? text : typeName === 'int8' ? BigInt(text) : Number(text);
    }
  }
}

/** Debezium's words for what Postgres calls otherwise. */
export const specialDecimals = new Map<unknown, string>([
  ['NAN', 'NaN'],
  ['POSITIVE_INFINITY', 'Infinity'],
  ['NEGATIVE_INFINITY', '-Infinity'],
]);
