import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { renderTable } from '../../../cli/table.ts';

const rows = [
  ['postgres', { text: 'create', style: 'green' as const }, 'a table with a long description of its columns'],
  ['kafka', 'update', 'short'],
];

test('columns line up, and a pipe gets neither colour nor wrapping', () => {
  expect(renderTable(['system', 'action', 'what'], rows, { isTTY: false, columns: 20 })).toBe(
    [
      'system    action  what',
      'postgres  create  a table with a long description of its columns',
      'kafka     update  short',
      '',
    ].join('\n'),
  );
});

test('a terminal that is narrower gets the last column wrapped, nothing cut off', () => {
  const text = stripVTControlCharacters(
    renderTable(['system', 'action', 'what'], rows, { isTTY: true, columns: 44 }),
  );
  expect(text.split('\n').every((line) => line.length < 44)).toBe(true);
  expect(text.replaceAll(/\s+/g, ' ')).toContain('a table with a long description of its columns');
});
