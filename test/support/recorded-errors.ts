import type * as errors from '../../schemas/errors.ts';

/** What has been made of the product's error class, whoever caught it. Stacks are long, so that every site is in them. */
export const made: errors.LetheError[] = [];
Error.stackTraceLimit = 60;

/** The module of the error class with one that is remembered; everything else, and what it does, is its own. */
export function recorded(module: typeof errors): typeof errors {
  class LetheError extends module.LetheError {
    constructor(...args: ConstructorParameters<typeof module.LetheError>) {
      super(...args);
      made.push(this);
    }
  }
  const safeReason = (error: unknown) => module.safeReason(error);
  return { ...module, LetheError, safeReason };
}
