import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDdl } from '../../../../connectors/ddl/statement.ts';

/** The actions that are read from a text, with the table of each. */
const read = (sql: string) =>
  parseDdl(sql).flatMap(({ table, actions }) => actions.map(({ action }) => [table, action]));

describe('DDL', () => {
  it.each<[string, string | undefined, object]>([
    ['alter table notes add column city text', 'public.notes', { kind: 'add column', column: 'city' }],
    [
      'ALTER TABLE notes ADD IF NOT EXISTS "City" text NOT NULL',
      'public.notes',
      { kind: 'add column', column: 'City' },
    ],
    [
      'alter table only s.notes drop city',
      's.notes',
      { kind: 'drop column', column: 'city', cascade: false },
    ],
    [
      'alter table if exists notes drop column if exists city cascade;',
      'public.notes',
      { kind: 'drop column', column: 'city', cascade: true },
    ],
    [
      'alter table notes drop column city restrict',
      'public.notes',
      { kind: 'drop column', column: 'city', cascade: false },
    ],
    [
      'alter table notes alter city type varchar(10) using left(city, 10)',
      'public.notes',
      { kind: 'retype column', column: 'city', type: 'varchar(10)' },
    ],
    [
      'alter table notes alter column "a b" set data type numeric(8, 2)',
      'public.notes',
      { kind: 'retype column', column: 'a b', type: 'numeric(8, 2)' },
    ],
    [
      'alter table notes rename city to town',
      'public.notes',
      { kind: 'rename column', column: 'city', to: 'town' },
    ],
    ['alter table s.notes rename to letters', 's.notes', { kind: 'rename table', to: 's.letters' }],
    ['alter table "S".notes set schema t', 'S.notes', { kind: 'rename table', to: 't.notes' }],
    [
      'alter table notes drop constraint notes_pkey',
      'public.notes',
      { kind: 'drop constraint', name: 'notes_pkey' },
    ],
    [
      'alter table notes add constraint k primary key (a, "B")',
      'public.notes',
      { kind: 'add primary key', columns: ['a', 'B'] },
    ],
    [
      'alter table notes replica identity full',
      'public.notes',
      { kind: 'replica identity', isDefault: false },
    ],
    ['drop table if exists notes', 'public.notes', { kind: 'drop table' }],
    ['truncate table only notes restart identity', 'public.notes', { kind: 'truncate' }],
    [
      '/* x */ alter -- y\n table notes /* drop column z */ add n text',
      'public.notes',
      { kind: 'add column', column: 'n' },
    ],
    [
      `alter table notes add n text default 'it''s; drop table x' check (n <> ',')`,
      'public.notes',
      { kind: 'add column', column: 'n' },
    ],
    [
      `alter table notes add n text default $q$ ; , drop $q$`,
      'public.notes',
      { kind: 'add column', column: 'n' },
    ],
  ])('is read from %s', (sql, table, action) => {
    expect(read(sql)).toEqual([[table, action]]);
  });

  it.each([
    'select 1',
    'create table notes (id int)',
    'alter index i rename to j',
    'alter table notes add column id int primary key',
    'alter table notes add constraint k primary key using index i',
    'alter table notes add foreign key (a) references b',
    'alter table notes rename constraint a to b',
    'alter table notes set (fillfactor = 70)',
    'alter table a.b.c drop column d',
    'alter table notes drop column',
    'alter table notes drop column a b',
    'drop table notes cascade',
    'truncate notes cascade',
    `alter table notes add n text default 'open`,
    'alter table notes /* a /* nested */ comment */ drop column a',
    `alter table U&"notes" drop column a`,
    '',
  ])('of which nothing is known is told as unknown: %s', (sql) => {
    expect(read(sql).filter(([, action]) => (action as { kind: string }).kind !== 'unknown')).toEqual([]);
  });

  it('with several actions gives each one its statement', () => {
    const [statement] = parseDdl('alter table s.n add a numeric(3, 1), drop column b cascade, owner to me');
    expect(statement!.actions.map(({ action, text }) => [action.kind, text])).toEqual([
      ['add column', 'alter table s.n add a numeric(3, 1)'],
      ['drop column', 'alter table s.n drop column b cascade'],
      ['unknown', 'alter table s.n owner to me'],
    ]);
  });

  it('with several statements or tables gives all of them', () => {
    expect(read('drop table a, s.b; truncate c, d; alter table e add f int;')).toEqual([
      ['public.a', { kind: 'drop table' }],
      ['s.b', { kind: 'drop table' }],
      ['public.c', { kind: 'truncate' }],
      ['public.d', { kind: 'truncate' }],
      ['public.e', { kind: 'add column', column: 'f' }],
    ]);
  });

  it('reads any identifier as Postgres would, quoted', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (table, column) => {
        const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
        expect(read(`alter table s.${quote(table)} drop ${quote(column)}`)).toEqual([
          [`s.${table}`, { kind: 'drop column', column, cascade: false }],
        ]);
      }),
    );
  });

  it('takes any text without an error, and no literal for SQL', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, inside) => {
        parseDdl(`${before} alter table ${inside}`);
        const literal = `'${inside.replaceAll("'", "''")}'`;
        expect(read(`alter table n add c text default ${literal}`)).toEqual([
          ['public.n', { kind: 'add column', column: 'c' }],
        ]);
      }),
    );
  });
});
