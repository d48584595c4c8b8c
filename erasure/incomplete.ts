import { LetheError } from '../schemas/errors.ts';

/** Something of a person is still there: the step is done again, or a person looks. `where`: a place, never what was found. */
export function incomplete(where: string, count: number): LetheError {
  return new LetheError('ERASURE_INCOMPLETE', `${count} finds of a person who is being erased: ${where}`);
}
