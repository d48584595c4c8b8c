import { grouped } from '../../pipeline/grouped.ts';
import type { OpenLetter } from '../../pipeline/open-letters.ts';
import { playbookOf } from '../../schemas/playbooks.ts';

/** Letters that failed alike. */
export interface LetterGroup {
  readonly table: string;
  readonly stage: string;
  readonly code: string;
  readonly count: number;
  /** ISO 8601. */
  readonly first: string;
  readonly last: string;
  /** What to do: a page of the documentation. */
  readonly playbook: string;
}

/** By table, stage and code, in this order. */
export function groupLetters(letters: readonly OpenLetter[]): LetterGroup[] {
  const groups = grouped(letters, ({ table, stage, code }) => `${table}\n${stage}\n${code}`);
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, own]) => {
      const { table, stage, code } = own[0]!;
      // One by one: so many arguments as there may be letters no call takes.
      let [first, last] = [own[0]!.timeMs, own[0]!.timeMs];
      for (const { timeMs } of own) {
        first = Math.min(first, timeMs);
        last = Math.max(last, timeMs);
      }
      return {
        table,
        stage,
        code,
        count: own.length,
        first: new Date(first).toISOString(),
        last: new Date(last).toISOString(),
        playbook: playbookOf(code),
      };
    });
}
