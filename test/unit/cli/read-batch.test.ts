import { describe, expect, it } from 'vitest';
import { readBatch } from '../../../cli/erase/read-batch.ts';
import { LetheError } from '../../../schemas/errors.ts';

const types = ['customer', 'courier'];

function problemsOf(text: string, reason?: string): string {
  try {
    readBatch(text, types, reason);
  } catch (error) {
    if (error instanceof LetheError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  return 'none';
}

describe('a file of requests', () => {
  it('is read as CSV is written: quotes, commas, line ends within a field, a byte order mark', () => {
    const text = [
      '\uFEFFreason,subject_type,subject_id,request_id,received',
      '"Art. 17, again",customer," 4""2",r-1,2026-01-31',
      '"two',
      'lines",courier,7,,',
      '',
      ',customer,8,,2026-01-31T09:30:00Z',
    ].join('\r\n');
    expect(readBatch(text, types, 'Art. 17')).toEqual([
      {
        line: 2,
        subject: { type: 'customer', id: ' 4"2' },
        reason: 'Art. 17, again',
        requestId: 'r-1',
        receivedAt: new Date('2026-01-31'),
      },
      { line: 3, subject: { type: 'courier', id: '7' }, reason: 'two\r\nlines' },
      {
        line: 6,
        subject: { type: 'customer', id: '8' },
        reason: 'Art. 17',
        receivedAt: new Date('2026-01-31T09:30:00Z'),
      },
    ]);
  });

  it('is refused with every line and field that is wrong', () => {
    const text = [
      'subject_type,subject_id,request_id,received',
      'customer,1,r-1,',
      'nobody,2,r 2,',
      'customer,1,r-1,9999-01-01',
      'customer,,,',
      'customer,3',
    ].join('\n');
    const said = problemsOf(text);
    for (const [line, field] of [
      [2, 'reason'],
      [3, 'subject_type'],
      [3, 'request_id'],
      [4, 'subject_id'],
      [4, 'request_id'],
      [4, 'received'],
      [5, 'subject_id'],
      [6, 'all of it'],
    ] as const) {
      expect(said).toContain(`line ${line}, ${field}: `);
    }
    expect(said).toContain('line 4, subject_id: the same stands in line 2');
  });

  it.each([
    ['', 'lacks subject_type'],
    ['subject_type,subject_id\n', 'no request stands in it'],
    ['customer,42\ncustomer,43\n', 'field 1 is no column'],
    ['subject_type,subject_id,subject_id\n', 'twice'],
    ['subject_type,subject_id\ncustomer,"4\n', 'it is no CSV'],
  ])('is refused where it is no such file: %j', (text, said) => {
    expect(problemsOf(text, 'why')).toContain(said);
  });

  it('has none of its values told', () => {
    const canary = 'jane.roe@example.com';
    const header = 'subject_type,subject_id,reason,request_id,received';
    for (const text of [
      `${canary},${canary}`,
      `${header}\n${canary},${canary},,${canary},${canary}`,
      `${header}\n"${canary}"x,1,,,`,
      `${header}\ncustomer,"${canary}`,
      `${header}\ncustomer,${canary},,,\ncustomer,${canary},,,`,
      `${header}\n${canary}`,
    ]) {
      const said = problemsOf(text);
      expect(said).not.toBe('none');
      expect(said).not.toContain('jane');
    }
  });

  it('tells so many problems, and how many more there are', () => {
    const rows = Array.from({ length: 200 }, () => 'nobody,');
    const said = problemsOf(['subject_type,subject_id', ...rows].join('\n'), 'why');
    expect(said.split('\n').length).toBeLessThan(60);
    expect(said).toContain('and 350 more');
  });
});
