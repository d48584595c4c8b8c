import { expect, it } from 'vitest';
import { columnOutcomes } from '../../../schemas/column-outcome.ts';
import type { ColumnRule } from '../../../schemas/column-rule.ts';
import { type TestColumn, testDataset } from '../../support/raw-events.ts';

const classification = 'person.contact' as const;
const column = (name: string, typeName: string, rule: object): TestColumn => ({
  name,
  typeName,
  nullable: false,
  rule: { classification, ...rule } as ColumnRule,
});
const key = column('id', 'int8', { action: 'hash' });
const own = { action: 'hash' };
const ends = { action: 'mask', keepStart: 0, keepEnd: 2 };
const subject = { type: 'customer', key: 'id' };

function outcomeOf(typeName: string, rule: object, hasSubject = true) {
  const dataset = testDataset([key, column('c', typeName, rule)], hasSubject ? subject : undefined);
  const { forgotten, shared, searches } = columnOutcomes(dataset)[1]!;
  return [forgotten, shared, searches];
}

it.each([
  ['text', { action: 'encrypt' }, 'key', undefined, 'none'],
  ['text', own, 'key', undefined, 'equal values of one person'],
  [
    'text',
    { ...own, domain: 'd', under: 'subject' },
    'key',
    undefined,
    'equal values of one person, also of other columns in d',
  ],
  ['text', { ...own, domain: 'd' }, 'deletion', 'join domain d', 'equal values, also of other columns in d'],
  ['text', { ...own, under: 'shared' }, 'deletion', 'under: shared', 'equal values'],
  ['text', { action: 'tokenise' }, 'key', undefined, 'equal values of one person; opened with the key'],
  ['text', { action: 'null' }, 'nothing', undefined, 'none'],
  ['text', { action: 'keep' }, 'deletion', undefined, 'by words, exact'],
  ['int8', { action: 'keep' }, 'deletion', undefined, 'exact, by range'],
  [
    'int8',
    { action: 'keep', searchable: false },
    'deletion',
    undefined,
    'none in Elasticsearch (searchable: false)',
  ],
  ['text', ends, 'deletion', undefined, 'by what is left at the ends'],
  ['text', { ...ends, keepEnd: 0 }, 'deletion', undefined, 'none'],
  ['int8', { action: 'generalise', to: 10 }, 'deletion', undefined, 'by the band'],
  ['date', { action: 'generalise', to: 'year' }, 'deletion', undefined, 'by the year'],
  // The weakest part counts.
  [
    'jsonb',
    { action: 'paths', paths: { a: { action: 'encrypt' }, b: { action: 'keep' } } },
    'deletion',
    undefined,
    'none in Elasticsearch; by path in ClickHouse',
  ],
  [
    'jsonb',
    { action: 'paths', paths: { a: { action: 'encrypt' }, b: { action: 'hash' } } },
    'key',
    undefined,
    'none in Elasticsearch; by path in ClickHouse',
  ],
])(
  'a column of type %s under %j is forgotten and searched as the engine leaves it',
  (type, rule, ...said) => {
    expect(outcomeOf(type, rule)).toEqual(said);
  },
);

it('what belongs to no subject, and the primary key, are not forgotten with a key', () => {
  expect(outcomeOf('text', own, false)).toEqual(['deletion', 'the table has no subject', 'equal values']);
  const [first] = columnOutcomes(testDataset([key], subject));
  expect(first).toMatchObject({ forgotten: 'deletion', shared: 'part of the primary key' });
});
