import { expect, test } from 'vitest';
import { type Disposition, followReferences } from '../../../connectors/postgres/erasure-references.ts';
import type { ForeignKey } from '../../../connectors/postgres/foreign-keys.ts';

const key = (child: string, parent: string, rest: Partial<ForeignKey> = {}): ForeignKey => ({
  name: `${child}_${parent}`,
  constraint: `s.${child}_${parent}`,
  child,
  parent,
  childSql: child,
  parentSql: parent,
  columns: [{ name: `${parent}_id`, nullable: false }],
  referenced: ['id'],
  onDelete: 'no action',
  deferrable: false,
  indexed: true,
  ...rest,
});

const table = (fate: Disposition['fate'], columns: string[] = []): Disposition => ({
  fate,
  columns,
  own: (alias, placeholders) => `${alias}.person = ${placeholders.next()}`,
});

function follow(tables: Record<string, Disposition>, ...keys: ForeignKey[]) {
  const { edges, guards, obstacles } = followReferences(new Map(Object.entries(tables)), keys);
  return {
    edges: edges.map(({ before, after, otherwise }) => `${before} < ${after} ${otherwise}`),
    guards: guards.map(({ text }) => text),
    told: obstacles.map(({ severity, message }) => `${severity}: ${message}`),
  };
}

const gone = table('delete');
const others = (child: string, parent: string) =>
  `select 1 from ${child} c where (c."${parent}_id") in (select c_of."id" from ${parent} c_of where c_of.person = $1)`;

test('children that are deleted too go first, and none of another person may be left', () => {
  expect(follow({ p: gone, c: gone }, key('c', 'p'))).toEqual({
    edges: ['c < p hard'],
    guards: [`${others('c', 'p')} and (c.person = $2) is not true limit 1`],
    told: [],
  });
});

test('a foreign key that can be looked at in the end says so; RESTRICT never can', () => {
  const deferrable = { deferrable: true } as const;
  expect(follow({ p: gone, c: gone }, key('c', 'p', deferrable)).edges).toEqual(['c < p deferrable']);
  const restrict = { ...deferrable, onDelete: 'restrict' } as const;
  expect(follow({ p: gone, c: gone }, key('c', 'p', restrict)).edges).toEqual(['c < p hard']);
});

test('what nobody planned and refers is looked for at the time', () => {
  expect(follow({ p: gone }, key('c', 'p'))).toEqual({
    edges: [],
    guards: [`${others('c', 'p')} limit 1`],
    told: ['warning: c (c_p): a row there keeps Postgres from deleting'],
  });
});

test('a reference that is set to null beforehand refers to nothing', () => {
  const tables = { p: gone, c: table('null', ['p_id']) };
  expect(follow(tables, key('c', 'p'))).toMatchObject({ edges: ['c < p hard'], told: [] });
});

test.each(['null', 'stays', 'application'] as const)('rows that are %s and refer are refused', (fate) => {
  expect(follow({ p: gone, c: table(fate, ['other']) }, key('c', 'p')).told).toEqual([
    'error: rows of c are to stay and refer to p (c_p): Postgres would refuse',
  ]);
});

test.each(['null', 'stays'] as const)('rows that are %s may not go along', (fate) => {
  const cascade = key('c', 'p', { onDelete: 'cascade' });
  expect(follow({ p: gone, c: table(fate) }, cascade).told).toEqual([
    'error: rows of c are to stay, and would be deleted with those of p (c_p)',
  ]);
});

test('rows go along with others, and what refers to them is followed', () => {
  const { guards, told, edges } = follow({ p: gone }, key('c', 'p', { onDelete: 'cascade' }), key('d', 'c'));
  expect(edges).toEqual([]);
  expect(told).toEqual([
    'warning: c (c_p): rows go along (ON DELETE CASCADE)',
    'warning: d (d_c): a row there keeps Postgres from deleting',
  ]);
  expect(guards).toEqual([
    'select 1 from d c where (c."c_id") in (select c_of."id" from c c_of where ' +
      '((c_of."p_id") in (select c_of_of."id" from p c_of_of where c_of_of.person = $1))) limit 1',
  ]);
});

test('rows that go along with one table hold back another until then', () => {
  const { edges, guards } = follow(
    { q: gone, p: gone },
    key('c', 'p', { onDelete: 'cascade' }),
    key('c', 'q'),
  );
  expect(edges).toEqual(['p < q hard']);
  expect(guards).toHaveLength(1);
  expect(guards[0]).toContain('is not true');
});

test("another person's rows do not go along", () => {
  const cascade = key('c', 'p', { onDelete: 'cascade' });
  for (const fate of ['delete', 'application'] as const) {
    expect(follow({ p: gone, c: table(fate) }, cascade).guards).toEqual([
      `${others('c', 'p')} and (c.person = $2) is not true limit 1`,
    ]);
  }
});

test('references that Postgres sets to null keep nothing', () => {
  const setNull = key('c', 'p', { onDelete: 'set null', indexed: false });
  expect(follow({ p: gone, c: table('stays') }, setNull)).toEqual({
    edges: [],
    guards: [],
    told: ['warning: c (c_p): no index leads with it: a walk through the table for each row that goes'],
  });
});

test('tables that go along in a circle are followed once', () => {
  const cascade = { onDelete: 'cascade' } as const;
  const { told } = follow(
    { p: gone },
    key('c', 'p', cascade),
    key('d', 'c', cascade),
    key('c', 'd', cascade),
  );
  expect(told).toHaveLength(3);
});
