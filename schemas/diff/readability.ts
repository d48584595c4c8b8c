import type { PathRule } from '../column-rule.ts';
import { type Coarseness, networkBits, periods } from '../generalise.ts';
import { type RedactionKind, redactionKinds } from '../redaction.ts';

/** What becomes of a single value; undefined where no contract speaks of it, so that it does not pass. */
export type ValueRule = PathRule | undefined;

/** How much more a consumer learns of a value than before; `other`: something that was hidden, though not everything that was shown. */
export type Comparison = 'same' | 'less' | 'more' | 'other';

/**
 * How much of a value each action lets be read, from nothing to everything. A new action does not compile until it has its
 * place here; if it stands beside others it needs a comparison below as well, or counts as showing something else.
 */
const ranks: Readonly<Record<PathRule['action'], number>> = {
  drop: 0,
  null: 0,
  // Whoever has the person's key, and nobody else.
  encrypt: 2,
  // Which rows have equal values.
  hash: 3,
  // That, the length, and the value to whoever has the column's key.
  tokenise: 4,
  // That, and where spaces and punctuation stand.
  'format-preserving': 5,
  // A part of the value.
  mask: 6,
  truncate: 6,
  generalise: 6,
  // Everything but what was found in it.
  redact: 7,
  keep: 8,
};

/** A part of the value can be read, or all of it. */
export function isReadable(rule: ValueRule): boolean {
  return rankOf(rule) >= ranks.mask;
}

/** Nothing is delivered that says anything about the value. */
export function isNothing(rule: ValueRule): boolean {
  return rankOf(rule) === 0;
}

function rankOf(rule: ValueRule): number {
  if (!rule) return 0;
  // A mask that keeps nothing is the same for every value.
  return rule.action === 'mask' && rule.keepStart + rule.keepEnd === 0 ? 1 : ranks[rule.action];
}

/** Compares what two rules let be read of one value. Options that change nothing of that (a domain, an alphabet) are `same`. */
export function compareReadability(from: ValueRule, to: ValueRule): Comparison {
  const difference = rankOf(to) - rankOf(from);
  if (difference !== 0) return difference > 0 ? 'more' : 'less';
  if (!from || !to || !isReadable(to)) return 'same';
  if (from.action === 'keep' && to.action === 'keep') return 'same';
  if (from.action === 'redact' && to.action === 'redact') return compareRedaction(from, to);
  if (from.action === 'mask' && to.action === 'mask') {
    return both(to.keepStart - from.keepStart, to.keepEnd - from.keepEnd);
  }
  if (from.action === 'truncate' && to.action === 'truncate') return both(to.keep - from.keep, 0);
  if (from.action === 'generalise' && to.action === 'generalise') return compareCoarseness(from, to);
  // The start that a mask shows is a part of the start that truncate lets pass.
  if (from.action === 'truncate' && to.action === 'mask') return isWithin(to, from) ? 'less' : 'other';
  if (from.action === 'mask' && to.action === 'truncate') return isWithin(from, to) ? 'more' : 'other';
  return 'other';
}

type Mask = PathRule & { action: 'mask' };
type Generalise = PathRule & { action: 'generalise' };
type Redact = PathRule & { action: 'redact' };

function isWithin(mask: Mask, { keep }: PathRule & { action: 'truncate' }): boolean {
  return mask.keepEnd === 0 && mask.keepStart <= keep;
}

/** Two measures of one thing, each above zero where more of it is shown. */
function both(first: number, second: number): Comparison {
  if (first === 0 && second === 0) return 'same';
  if (first >= 0 && second >= 0) return 'more';
  return first <= 0 && second <= 0 ? 'less' : 'other';
}

/** What is looked for no longer is read; what is looked for now is not. */
function compareRedaction(from: Redact, to: Redact): Comparison {
  const [before, after] = [foundBy(from), foundBy(to)];
  const lost = before.filter((item) => !after.includes(item)).length;
  const won = after.filter((item) => !before.includes(item)).length;
  if (lost > 0 && won > 0) return 'other';
  return both(lost - won, 0);
}

/** Kinds, and for names the columns that they come from: without one none is found. */
function foundBy({ kinds: named, names = [] }: Redact): string[] {
  const kinds: readonly RedactionKind[] = named ?? redactionKinds;
  const others = kinds.filter((kind) => kind !== 'name');
  return kinds.includes('name') ? [...others, ...names.map((column) => `name/${column}`)] : others;
}

/** A shorter period, a narrower band and more bits of an address say more. */
function compareCoarseness(from: Generalise, to: Generalise): Comparison {
  if (from.to === 'network' && to.to === 'network') {
    return both(bits(to, 'v4') - bits(from, 'v4'), bits(to, 'v6') - bits(from, 'v6'));
  }
  if (typeof from.to === 'number' && typeof to.to === 'number') return both(from.to - to.to, 0);
  const [before, after] = [finenessOf(from.to), finenessOf(to.to)];
  return before < 0 || after < 0 ? 'other' : both(after - before, 0);
}

function bits(rule: Generalise, version: 'v4' | 'v6'): number {
  return rule[version] ?? networkBits[version];
}

function finenessOf(to: Coarseness): number {
  return (periods as readonly Coarseness[]).indexOf(to);
}
