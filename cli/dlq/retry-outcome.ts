import type { OpenLetter } from '../../pipeline/open-letters.ts';
import type { ErrorCode } from '../../schemas/errors.ts';

/**
 * What became of a letter that was tried again.
 * - `requested`: the source has the row; it is read again, and comes with a version of its own.
 * - `deleted`: the source has it no more; a delete goes downstream.
 * - `written`: the store has taken the row's newest record, or had it or a newer one.
 * - `left`: that record is under a contract of before; its row is being read again in any case.
 * - `gone`: the clean topic has nothing of the row any more: it was deleted, and that is long past.
 * - `lost`: it has nothing of the row, and the letter is of a delete that the store may have missed, or does not say; it stays.
 * - `rejected`: the store does not take it, for the reason `now`; the letter stays.
 * - `erased`: the payload's key was destroyed; the letter stays.
 * - `unreadable`: nobody can say which row it is about; the letter stays.
 */
export interface RetryOutcome {
  readonly kind:
    | 'requested'
    | 'deleted'
    | 'written'
    | 'left'
    | 'gone'
    | 'lost'
    | 'rejected'
    | 'erased'
    | 'unreadable';
  readonly now?: ErrorCode;
}

export interface RetriedLetter {
  readonly letter: OpenLetter;
  readonly outcome: RetryOutcome;
}

/** Whether there is nothing left to do for the letter. */
export function isSettled({ kind }: RetryOutcome): boolean {
  return settled.has(kind);
}

const settled: ReadonlySet<RetryOutcome['kind']> = new Set([
  'requested',
  'deleted',
  'written',
  'left',
  'gone',
]);
