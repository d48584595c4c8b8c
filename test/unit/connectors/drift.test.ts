import { describe, expect, it } from 'vitest';
import { driftOf, type TableNow } from '../../../connectors/postgres/drift.ts';
import type { PublicationState } from '../../../connectors/postgres/publication.ts';

const now: TableNow = {
  table: 'public.notes',
  identity: 'd',
  columns: ['id', 'city', 'secret'],
  key: ['id'],
};
const applied = { table: 'public.notes', published: ['id', 'city'] };
const options = { all_tables: false, whole_schemas: false, complete: true };
const listing = (columns: string[], filtered = false): PublicationState => ({
  options,
  tables: new Map([['public.notes', { columns, filtered }]]),
});
const sound = listing(['city', 'id']);

describe('a table and its publication', () => {
  it('are as applied, in whatever order the columns are listed, and where it is not known what was applied', () => {
    expect(driftOf('p', sound, now, applied)).toBeUndefined();
    expect(driftOf('p', listing(['id']), now, { ...applied, published: null })).toBeUndefined();
  });

  it('are told nothing of a column that was renamed: nothing is missed', () => {
    const renamed = { ...now, columns: ['id', 'town', 'secret'] };
    expect(driftOf('p', listing(['id', 'town']), renamed, applied)).toMatchObject({ misses: false });
  });

  it.each<
    [
      what: string,
      publication: PublicationState | undefined,
      table: Partial<TableNow> | undefined,
      misses?: boolean,
    ]
  >([
    ['the source has no table of this name', sound, undefined],
    ['the publication p is gone', undefined, {}],
    ['it has left the publication p: its changes do not come', { options, tables: new Map() }, {}],
    ['city is gone from the table', { options, tables: new Map() }, { columns: ['id', 'secret'] }],
    ['filters its rows', listing(['id', 'city'], true), {}],
    ['leaves out kinds of changes', { ...sound, options: { ...options, complete: false } }, {}],
    ['replica identity is not the primary key', sound, { identity: 'f' }],
    ['it has no primary key', sound, { key: [] }],
    ['its primary key has secret', sound, { key: ['id', 'secret'] }],
    ['lacks city', listing(['id']), {}],
    ['does not need: secret', listing(['id', 'city', 'secret']), {}, false],
  ])('are told where they differ: %s', (what, publication, table, misses = true) => {
    const found = driftOf('p', publication, table && { ...now, ...table }, applied);
    expect(found).toMatchObject({ what: expect.stringContaining(what), misses });
  });
});
