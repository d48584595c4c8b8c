import { grouped } from '../../pipeline/grouped.ts';
import { renderTable } from '../table.ts';
import type { RetriedLetter, RetryOutcome } from './retry-outcome.ts';

/** How many letters of a group came to one outcome. */
export interface OutcomeCount {
  readonly table: string;
  readonly stage: string;
  readonly code: string;
  readonly outcome: RetryOutcome['kind'];
  /** Why it is rejected now. */
  readonly now?: string;
  readonly count: number;
}

export function countOutcomes(retried: readonly RetriedLetter[]): OutcomeCount[] {
  const groups = grouped(retried, ({ letter, outcome }) =>
    [letter.table, letter.stage, letter.code, outcome.kind, outcome.now ?? ''].join('\n'),
  );
  const inOrder = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return inOrder.map(([, own]) => {
    const { letter, outcome } = own[0]!;
    const { table, stage, code } = letter;
    const { kind, now } = outcome;
    return { table, stage, code, outcome: kind, ...(now ? { now } : {}), count: own.length };
  });
}

const says: Readonly<Record<RetryOutcome['kind'], string>> = {
  requested: 'read again from the source',
  deleted: 'gone at the source: deleted downstream',
  written: 'the store has it',
  left: 'read again under the contract of today',
  gone: 'deleted long ago',
  lost: 'nothing of it is left to be written: it stays',
  rejected: 'rejected again: it stays',
  erased: 'its key was destroyed: it stays, discard it',
  unreadable: 'nobody can tell its row: it stays',
};

export function renderOutcomes(outcomes: readonly OutcomeCount[]): string {
  if (outcomes.length === 0) return 'no dead letter to retry\n';
  return renderTable(
    ['table', 'stage', 'code', 'count', 'outcome'],
    outcomes.map(({ table, stage, code, count, outcome, now }) => [
      table,
      stage,
      code,
      String(count),
      `${says[outcome]}${now ? ` (${now})` : ''}`,
    ]),
  );
}
