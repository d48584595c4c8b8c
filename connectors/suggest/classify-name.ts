import type { Guess, Verdict } from './guess.ts';
import { bareNames, bookkeepingWords, nameClasses } from './name-words.ts';
import { nameTokens } from './name-tokens.ts';

/** What words say: a guess, and the same in English, after "its name says". */
export interface Said {
  readonly guess: Guess;
  readonly says: string;
}

interface Matcher extends Said {
  readonly whole: ReadonlySet<string>;
  readonly within: readonly string[];
}

const shortestWithin = 5;

const matchers: readonly Matcher[] = nameClasses.map(({ guess, says, words }) => {
  const all = words.split(/\s+/).filter((word) => word !== '');
  const isWhole = (word: string): boolean => word.startsWith('=') || word.length < shortestWithin;
  return {
    guess,
    says,
    whole: new Set(all.filter(isWhole).map((word) => word.replace('=', ''))),
    within: all.filter((word) => !isWhole(word)),
  };
});

/**
 * What the name of a column says, or undefined if it says nothing. `ofPeople`: the table is one of people, or its rows
 * belong to them, where a bare `name` is a person's; elsewhere it may be anything's.
 */
export function classifyName(name: string, ofPeople: boolean): Verdict | undefined {
  const said = wordsSay(name, ofPeople);
  return said && { guess: said.guess, reason: `its name says ${said.says}` };
}

/** The same of any words, wherever they stand. */
export function wordsSay(name: string, ofPeople: boolean): Said | undefined {
  const tokens = nameTokens(name);
  const joined = tokens.join('');
  const found = matchers.find(
    ({ whole, within }) =>
      tokens.some((token) => whole.has(token)) ||
      whole.has(joined) ||
      within.some((word) => joined.includes(word)),
  );
  if (found) return { guess: found.guess, says: found.says };
  const bare = tokens.some((token) => bareNames.has(token) || token.endsWith('name'));
  if (!bare) return undefined;
  return ofPeople
    ? { guess: 'person.name', says: 'a person’s name' }
    : { guess: 'unknown', says: 'a name, perhaps a person’s' };
}

/** Is it the time at which the row was written? */
export function isBookkeeping(name: string): boolean {
  const joined = nameTokens(name).join('');
  return bookkeepingWords.some((word) => joined.includes(word));
}
