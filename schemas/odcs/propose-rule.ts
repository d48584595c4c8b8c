import { plainName } from '../source-document.ts';
import { type Classification, isClassification, vocabulary } from '../vocabulary.ts';
import type { OdcsProperty } from './odcs-shape.ts';

/** A rule for a column that nobody has given one, and why it is so: names only. */
export interface Proposal {
  readonly rule: { readonly classification: Classification; readonly action: 'keep' | 'drop' | 'hash' };
  readonly reason: string;
}

/** What a word of a file says. */
export interface WordGuess {
  readonly classification: Classification;
  /** Follows "its name says". */
  readonly says: string;
}

/** What the name of a column, or another word about it, says it holds; undefined if it says nothing. */
export type GuessWord = (word: string) => WordGuess | undefined;

/** What somebody can be told apart by: a pseudonym still joins, and can still be a key. */
const identifying: ReadonlySet<Classification> = new Set([
  'person.id',
  'person.contact',
  'network.address',
  'payment.bank',
]);
/** What laws and standards call it: words that no column has for a name, unless it is meant. */
const abbreviations: ReadonlyMap<string, Classification> = new Map([
  ['phi', 'person.health'],
  ['pci', 'payment.card'],
]);
/** Logical types with one canonical text, most of the time. */
const hashable: ReadonlySet<string> = new Set(['string', 'integer']);

/**
 * Proposes what becomes of a column of a contract that says nothing of Lethe's actions. Only what is called public, by
 * a word that nothing contradicts, is kept. In every doubt it is dropped; a key, which has to stay, is hashed.
 */
export function proposeRule(property: OdcsProperty, guess: GuessWord): Proposal {
  const said = property.classification ?? undefined;
  const guessed = guessOf(property, guess);
  const doubts = doubtsOf(property, guessed);
  if (said?.toLowerCase() === 'public' && doubts.length === 0) {
    return {
      rule: { classification: 'public', action: 'keep' },
      reason: 'public, as its classification says',
    };
  }
  const stated = isClassification(said) && vocabulary[said].personal ? said : undefined;
  const classification = stated ?? guessed?.classification ?? 'content.free-text';
  const known = stated === undefined ? guessed?.reason : `its classification says ${stated}`;
  const called = said === undefined ? '' : `, classified ${plainName(said)}`;
  const why = known ?? `nothing says what it holds${called}`;
  if (property.primaryKey === true) {
    return { rule: { classification, action: 'hash' }, reason: `${why}; a key has to stay: as a pseudonym` };
  }
  const joinable = known !== undefined && identifying.has(classification);
  const action = joinable && hashable.has(property.logicalType ?? '') ? 'hash' : 'drop';
  return { rule: { classification, action }, reason: [...new Set([why, ...doubts])].join('; ') };
}

interface Guessed {
  readonly classification: Classification;
  readonly reason: string;
}

/** By the column's name, else by its tags, else by its classification, which may be a word of another vocabulary. */
function guessOf(
  { name, physicalName, tags, classification }: OdcsProperty,
  guess: GuessWord,
): Guessed | undefined {
  const sources: [what: string, words: readonly (string | null | undefined)[]][] = [
    ['name', [physicalName, name]],
    ['tag', tags ?? []],
    ['classification', [classification]],
  ];
  for (const [what, words] of sources) {
    for (const word of words) {
      const found = word === undefined || word === null ? undefined : wordOf(word, guess);
      if (found) return { classification: found.classification, reason: `its ${what} says ${found.says}` };
    }
  }
  return undefined;
}

function wordOf(word: string, guess: GuessWord): WordGuess | undefined {
  const known = isClassification(word) ? word : abbreviations.get(word.toLowerCase());
  if (known === undefined) return guess(word);
  return vocabulary[known].personal ? { classification: known, says: known } : undefined;
}

/** What speaks against a word that says public. */
function doubtsOf(property: OdcsProperty, guessed: Guessed | undefined): string[] {
  const { encryptedName, tags, logicalType } = property;
  const marks = (tags ?? []).filter((tag) =>
    /pii|personal|sensitiv|confiden|restrict|secret|gdpr/i.test(tag),
  );
  return [
    ...(guessed ? [guessed.reason] : []),
    ...marks.slice(0, 1).map((tag) => `tagged ${plainName(tag)}`),
    ...(encryptedName ? ['somebody encrypts it elsewhere'] : []),
    ...(logicalType === 'object' || logicalType === 'array' ? [`an ${logicalType} may hold anything`] : []),
  ];
}
