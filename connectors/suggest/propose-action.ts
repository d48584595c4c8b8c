import type { ColumnRule } from '../../schemas/column-rule.ts';
import { cleanKind } from '../../schemas/dataset.ts';
import { isGeneralisable } from '../../schemas/generalise.ts';
import type { ValueKind } from '../../schemas/value-kind.ts';
import { classificationOf, type Guess } from './guess.ts';

/** What decides about the action beside the guess. */
export interface ActionFacts {
  /** Undefined for a type that is not taken. */
  readonly kind: ValueKind | undefined;
  /** Digits behind the point of a numeric(p,s). */
  readonly scale?: number | undefined;
  /** Has the table a subject, whose key could encrypt? */
  readonly hasSubject: boolean;
  /** For a column that tells rows apart or refers to one that does: what becomes of it, so that rows stay joinable. */
  readonly identity?: 'keep' | 'hash' | undefined;
  /** Domain of an identity's pseudonyms. */
  readonly domain?: string | undefined;
}

type Wish = 'keep' | 'hash' | 'encrypt' | 'coarse' | 'null' | 'drop';

/** The one table: what is proposed for each guess, best first. The first that the column can have is taken. */
const wishes: Readonly<Record<Guess, readonly Wish[]>> = {
  public: ['keep'],
  internal: ['keep'],
  'person.id': ['hash', 'encrypt', 'drop'],
  'person.name': ['encrypt', 'drop'],
  'person.contact': ['encrypt', 'drop'],
  'person.address': ['encrypt', 'drop'],
  'person.birth': ['encrypt', 'coarse', 'drop'],
  'person.national-id': ['drop'],
  'person.health': ['encrypt', 'drop'],
  'payment.card': ['drop'],
  'payment.bank': ['encrypt', 'drop'],
  'network.address': ['null', 'drop'],
  location: ['coarse', 'encrypt', 'drop'],
  'content.free-text': ['encrypt', 'drop'],
  credential: ['drop'],
  unknown: ['drop'],
  confidential: ['null', 'drop'],
  moment: ['coarse', 'encrypt', 'null', 'drop'],
};

/** How coarse: a birth its year or its ten years, a place about eleven kilometres, a moment its day or its month. */
const coarseness: Partial<Record<Guess, Partial<Record<ValueKind, 'year' | 'month' | 'day' | number>>>> = {
  'person.birth': { date: 'year', timestamp: 'year', timestamptz: 'year', int: 10, long: 10, decimal: 10 },
  location: { decimal: 0.1, double: 0.1 },
  moment: { date: 'month', timestamp: 'day', timestamptz: 'day' },
};

/**
 * The rule proposed for a column. It fits the column's type; `keep` comes of `public`, `internal` and an identity that
 * is to be kept, and of nothing else.
 */
export function proposeAction(guess: Guess, facts: ActionFacts): ColumnRule {
  const classification = classificationOf(guess);
  if (facts.identity === 'keep' && facts.kind !== undefined) return { classification, action: 'keep' };
  if (facts.identity === 'hash' && fulfil('hash', guess, facts)) {
    return {
      classification,
      action: 'hash',
      ...(facts.domain === undefined ? {} : { domain: facts.domain }),
    };
  }
  for (const wish of wishes[guess]) {
    const rule = fulfil(wish, guess, facts);
    if (rule) return { classification, ...rule } as ColumnRule;
  }
  return { classification, action: 'drop' };
}

function fulfil(wish: Wish, guess: Guess, facts: ActionFacts): Record<string, unknown> | undefined {
  const { kind, scale, hasSubject } = facts;
  if (wish === 'drop') return { action: 'drop' };
  if (kind === undefined || (wish === 'encrypt' && !hasSubject)) return undefined;
  if (wish === 'coarse') {
    const to = coarseness[guess]?.[kind];
    if (to === undefined || !isGeneralisable(kind, to)) return undefined;
    const isTooFine = to === 0.1 && kind === 'decimal' && scale === 0;
    return { action: 'generalise', to: isTooFine ? 1 : to };
  }
  const classification = classificationOf(guess);
  return cleanKind({ classification, action: wish }, kind) === undefined ? undefined : { action: wish };
}
