import type { Classification } from '../../schemas/vocabulary.ts';

/**
 * What a column may hold: a classification, or one of three that no contract has: `unknown` (nothing says what it
 * holds), `confidential` (no person's, yet nobody else's business) and `moment` (when somebody did something).
 */
export type Guess = Classification | 'unknown' | 'confidential' | 'moment';

/** What a contract calls it. What is unknown is taken for the text of a person. */
export function classificationOf(guess: Guess): Classification {
  if (guess === 'unknown') return 'content.free-text';
  if (guess === 'confidential' || guess === 'moment') return 'internal';
  return guess;
}

/** A guess with its reason: names, types and counts, never a value. */
export interface Verdict {
  readonly guess: Guess;
  readonly reason: string;
}
