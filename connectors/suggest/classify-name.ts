import type { Verdict } from './guess.ts';
import { bareNames, bookkeepingWords, nameClasses } from './name-words.ts';
import { nameTokens } from './name-tokens.ts';

interface Matcher extends Verdict {
  readonly whole: ReadonlySet<string>;
  readonly within: readonly string[];
}

const shortestWithin = 5;

const matchers: readonly Matcher[] = nameClasses.map(({ guess, says, words }) => {
  const all = words.split(/\s+/).filter((word) => word !== '');
  const isWhole = (word: string): boolean => word.startsWith('=') || word.length < shortestWithin;
  return {
    guess,
    reason: `its name says ${says}`,
    whole: new Set(all.filter(isWhole).map((word) => word.replace('=', ''))),
    within: all.filter((word) => !isWhole(word)),
  };
});

/**
 * What the name of a column says, or undefined if it says nothing. `ofPeople`: the table is one of people, or its rows
 * belong to them, where a bare `name` is a person's; elsewhere it may be anything's.
 */
export function classifyName(name: string, ofPeople: boolean): Verdict | undefined {
  const tokens = nameTokens(name);
  const joined = tokens.join('');
  const found = matchers.find(
    ({ whole, within }) =>
      tokens.some((token) => whole.has(token)) ||
      whole.has(joined) ||
      within.some((word) => joined.includes(word)),
  );
  if (found) return { guess: found.guess, reason: found.reason };
  const bare = tokens.some((token) => bareNames.has(token) || token.endsWith('name'));
  if (!bare) return undefined;
  return ofPeople
    ? { guess: 'person.name', reason: 'its name says a person’s name' }
    : { guess: 'unknown', reason: 'its name says a name, perhaps a person’s' };
}

/** Is it the time at which the row was written? */
export function isBookkeeping(name: string): boolean {
  const joined = nameTokens(name).join('');
  return bookkeepingWords.some((word) => joined.includes(word));
}
