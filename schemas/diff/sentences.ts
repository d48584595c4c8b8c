import type { PathRule } from '../column-rule.ts';
import type { ComparedPlace } from './places.ts';
import { type Comparison, isNothing, isReadable, type ValueRule } from './readability.ts';
import { ruleText } from './rule-text.ts';

const delivered = 'values already delivered stay as they are until they are replaced (lethe plan says how)';
const readable = 'values already delivered stay readable until they are replaced (lethe plan says how)';

/** Whom a sentence speaks of. */
export interface Readers {
  readonly readers: string;
  /** The contract did not name the column before. */
  readonly isNew: boolean;
}

/** The change of what can be read of a place, for a person. `name` is what the place is called. */
export function readabilitySentence(
  name: string,
  { path, from, to }: ComparedPlace,
  comparison: Exclude<Comparison, 'same'>,
  { readers, isNew }: Readers,
): string {
  const amount = amountSentence(name, from, to, comparison);
  if (comparison === 'less') return lessSentence(name, from, to, amount);
  if (amount !== undefined) return amount;
  const was = from ? ` (was ${ruleText(from)})` : '';
  if (comparison === 'other') {
    return `${name}: other parts of it become readable to ${readers}: ${ruleText(to!)}${was}`;
  }
  if (isNew && path === undefined) {
    if (to!.action === 'keep') return `a new column ${name} passes as it is`;
    return `a new column ${name} passes${isReadable(to) ? ' in part' : ''}: ${outcomes[to!.action](to!)}`;
  }
  if (to!.action === 'keep') return `${name} becomes readable to ${readers}${was || ' (did not pass)'}`;
  if (isReadable(to)) {
    return `${name} becomes readable in part to ${readers}: ${ruleText(to!)}${was || ' (did not pass)'}`;
  }
  return `${name} now reaches ${readers} as ${outcomes[to!.action](to!)}${was || ' (did not pass)'}`;
}

function lessSentence(name: string, from: ValueRule, to: ValueRule, amount: string | undefined): string {
  const history = isReadable(from) ? readable : delivered;
  if (amount !== undefined) return `${amount}; ${history}`;
  if (isNothing(to)) return `${name} no longer passes (was ${ruleText(from!)}); ${history}`;
  if (isReadable(to))
    return `${name} is readable only in part: ${ruleText(to!)} (was ${ruleText(from!)}); ${history}`;
  const verb = isReadable(from) ? 'is no longer readable' : 'tells less';
  return `${name} ${verb}: ${outcomes[to!.action](to!)} (was ${ruleText(from!)}); ${history}`;
}

/** What comes out, in words. A new action does not compile until it has its own. */
const outcomes: Readonly<Record<PathRule['action'], (rule: PathRule) => string>> = {
  keep: () => 'the value as it is',
  drop: () => 'nothing',
  null: () => 'nothing but null',
  mask: (rule) => (isReadable(rule) ? ruleText(rule) : 'a mask that is the same for every value'),
  truncate: ruleText,
  generalise: ruleText,
  redact: ruleText,
  hash: () => 'a pseudonym, the same for equal values',
  tokenise: () => 'a token, the same for equal values, which whoever has its key can open',
  'format-preserving': () => 'characters encrypted among themselves, which whoever has their key can open',
  encrypt: () => "encrypted under the person's key",
};

/** Where one action shows another amount than before. */
function amountSentence(
  name: string,
  from: ValueRule,
  to: ValueRule,
  comparison: Exclude<Comparison, 'same'>,
): string | undefined {
  if (from?.action === 'mask' && to?.action === 'mask') {
    const [before, after] = [from.keepStart + from.keepEnd, to.keepStart + to.keepEnd];
    if (comparison === 'other') return undefined;
    return `${name}: the mask now shows ${after} instead of ${before} characters`;
  }
  if (from?.action === 'truncate' && to?.action === 'truncate') {
    return `${name}: the first ${to.keep} instead of ${from.keep} characters now pass`;
  }
  if (from?.action === 'generalise' && to?.action === 'generalise' && comparison !== 'other') {
    const way = comparison === 'more' ? 'finer' : 'coarser';
    return `${name} becomes ${way}: ${ruleText(to)} (was ${ruleText(from)})`;
  }
  return undefined;
}
