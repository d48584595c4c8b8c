import { letterId, type OpenLetter } from '../../pipeline/open-letters.ts';
import { renderTable } from '../table.ts';
import type { LetterGroup } from './group-letters.ts';

export function renderGroups(groups: readonly LetterGroup[]): string {
  if (groups.length === 0) return 'no dead letters\n';
  return renderTable(
    ['table', 'stage', 'code', 'count', 'first', 'last', 'playbook'],
    groups.map(({ table, stage, code, count, first, last, playbook }) => [
      table,
      stage,
      code,
      { text: String(count), style: 'red' },
      first,
      last,
      playbook,
    ]),
  );
}

export function renderEach(letters: readonly OpenLetter[]): string {
  if (letters.length === 0) return 'no dead letters\n';
  return renderTable(
    ['dead letter', 'code', 'time'],
    letters.map((letter) => [letterId(letter), letter.code, new Date(letter.timeMs).toISOString()]),
  );
}
