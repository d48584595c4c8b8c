import { describe, expect, it } from 'vitest';
import { groupLetters } from '../../../../cli/dlq/group-letters.ts';
import { countOutcomes, renderOutcomes } from '../../../../cli/dlq/retry-report.ts';
import { isExplicit, selectLetters } from '../../../../cli/dlq/select-letters.ts';
import { letterId, type OpenLetter } from '../../../../pipeline/open-letters.ts';

const letter = (table: string, stage: string, offset: number, code = 'RECORD_REJECTED'): OpenLetter => ({
  table,
  stage,
  code: code as OpenLetter['code'],
  topic: 'clean',
  partition: 1,
  offset: String(offset),
  key: `${table}/${stage}/${offset}`,
  letterTopic: 'dead',
  at: BigInt(offset),
  timeMs: 1_000 * offset,
});
const letters = [
  letter('public.orders', 'transform', 5, 'SUBJECT_MISSING'),
  letter('public.orders', 'clickhouse', 2),
  letter('crm.orders', 'clickhouse', 9),
  letter('public.orders', 'clickhouse', 1),
];

describe('letters', () => {
  it('are grouped by table, stage and code, with the time of the first and of the last', () => {
    const common = {
      stage: 'clickhouse',
      code: 'RECORD_REJECTED',
      playbook: 'docs/playbooks/record-rejected.md',
    };
    const at = (seconds: number) => new Date(1_000 * seconds).toISOString();
    expect(groupLetters(letters)).toEqual([
      { table: 'crm.orders', ...common, count: 1, first: at(9), last: at(9) },
      { table: 'public.orders', ...common, count: 2, first: at(1), last: at(2) },
      {
        table: 'public.orders',
        stage: 'transform',
        code: 'SUBJECT_MISSING',
        count: 1,
        first: at(5),
        last: at(5),
        playbook: 'docs/playbooks/subject-missing.md',
      },
    ]);
  });

  it.each([
    [{ table: 'orders' }, [5, 2, 1]],
    [{ table: 'crm.orders' }, [9]],
    [{ stage: 'clickhouse' }, [2, 9, 1]],
    [{ table: 'public.orders', code: 'RECORD_REJECTED' }, [2, 1]],
    [{ all: true } as const, [5, 2, 9, 1]],
    [{ code: 'TABLE_HALTED' }, []],
  ])('are chosen by what every filter fits: %j', (filters, offsets) => {
    const { chosen, unknown } = selectLetters(letters, { ids: [], ...filters });
    expect(chosen.map(({ offset }) => Number(offset))).toEqual(offsets);
    expect(unknown).toEqual([]);
  });

  it('are chosen by their ids, with or without the schema public; an id of none is told', () => {
    const ids = [letterId(letters[2]!), 'orders/clickhouse/1/1', 'orders/clickhouse/1/77'];
    const { chosen, unknown } = selectLetters(letters, { ids });
    expect(chosen).toEqual([letters[2], letters[3]]);
    expect(unknown).toEqual(['orders/clickhouse/1/77']);
  });

  it('are not chosen by nothing', () => {
    expect(isExplicit({ ids: [] })).toBe(false);
    expect([{ ids: ['a'] }, { ids: [], table: 't' }, { ids: [], all: true as const }].every(isExplicit)).toBe(
      true,
    );
  });

  it('are counted by what became of them, and why', () => {
    const outcomes = countOutcomes([
      { letter: letters[1]!, outcome: { kind: 'rejected', now: 'VALUE_UNREPRESENTABLE' } },
      { letter: letters[0]!, outcome: { kind: 'requested' } },
      { letter: letters[3]!, outcome: { kind: 'rejected', now: 'VALUE_UNREPRESENTABLE' } },
    ]);
    expect(outcomes.map(({ count, outcome, now }) => [count, outcome, now])).toEqual([
      [2, 'rejected', 'VALUE_UNREPRESENTABLE'],
      [1, 'requested', undefined],
    ]);
    expect(renderOutcomes(outcomes)).toContain('rejected again: it stays (VALUE_UNREPRESENTABLE)');
  });
});
