import type { GuessWord } from '../../schemas/odcs/propose-rule.ts';
import { wordsSay } from './classify-name.ts';
import { classificationOf } from './guess.ts';
import { namesPerson } from './person-tables.ts';

/**
 * What a column's name or a tag says where no database can be asked. Without foreign keys nobody knows whether the table is one of
 * people, so that it is taken for one, and whatever names a kind of person for what that person is known by.
 */
export const guessWord: GuessWord = (word) => {
  const said = wordsSay(word, true);
  if (said) return { classification: classificationOf(said.guess), says: said.says };
  return namesPerson(word) ? { classification: 'person.id', says: 'what a person is known by' } : undefined;
};
