import { describe, expect, it } from 'vitest';
import { advise } from '../../../../connectors/ddl/advise.ts';
import type { TableFacts } from '../../../../connectors/ddl/facts.ts';
import { parseDdl } from '../../../../connectors/ddl/statement.ts';
import type { Contract } from '../../../../schemas/contract.ts';

const keep = { classification: 'internal', action: 'keep' } as const;
const contract: Contract = {
  table: 'public.notes',
  owner: 'o',
  tier: 1,
  sinks: ['clickhouse'],
  staleness: '30s',
  columns: { id: keep, owner_id: keep, city: keep, must: keep, key: { ...keep, action: 'drop' } },
};
const facts: TableFacts = {
  table: 'public.notes',
  own: { file: 'contracts/notes.yaml', contract },
  hasOthers: true,
  lookedUpBy: [],
  listed: ['id', 'owner_id', 'city', 'must'],
  key: ['id'],
  keyConstraint: 'notes_pkey',
  nullable: new Set(['city']),
  needed: new Set(['id', 'owner_id']),
  publication: 'lethe_shop',
  contractOf: (table) => (table === 'public.notes' ? { file: 'contracts/notes.yaml', contract } : undefined),
  sameKind: () => false,
};
const { own: _own, listed: _listed, ...unpublished } = facts;

/** The advice on statements, with what is known of the table changed. */
function on(sql: string, changed: Partial<TableFacts> = {}) {
  return advise(parseDdl(sql), new Map([['public.notes', { ...facts, ...changed }]]));
}
const texts = (sql: string, changed: Partial<TableFacts> = {}) =>
  on(sql, changed)[0]!.steps.map(({ text }) => text);

describe('the safe order', () => {
  it('of a column that the contract needs leads by the publication, and reconciles', () => {
    expect(texts('alter table notes alter owner_id type bigint')).toEqual([
      'ALTER PUBLICATION "lethe_shop" DROP TABLE ONLY "public"."notes";',
      'alter table notes alter owner_id type bigint;',
      'lethe plan --rebuild',
      'lethe apply --rebuild',
      'start `lethe run` again',
      expect.stringContaining('wait until'),
      'lethe apply',
      'lethe reconcile public.notes --repair',
    ]);
  });

  it('of a type that is the same to consumers leaves no moment without the table', () => {
    expect(texts('alter table notes alter city type text', { sameKind: () => true })).toEqual([
      'BEGIN; ALTER PUBLICATION "lethe_shop" DROP TABLE ONLY "public"."notes"; alter table notes alter city type text; ' +
        'ALTER PUBLICATION "lethe_shop" ADD TABLE ONLY "public"."notes" ("id", "owner_id", "city", "must"); COMMIT;',
    ]);
  });

  it('of a column that may not be null ends with the changes that were without it', () => {
    expect(texts('alter table notes rename must to shall').at(-1)).toBe(
      'lethe dlq retry --table public.notes --code SCHEMA_UNEXPECTED',
    );
    expect(texts('alter table notes rename city to town').at(-1)).toBe('lethe apply');
  });

  it('does not take the last contract away', () => {
    const moved = 'alter table notes drop constraint notes_pkey, add primary key (city)';
    expect(texts(moved)[0]).toContain('put the file away');
    expect(texts(moved, { hasOthers: false })[0]).toContain('ALTER PUBLICATION');
    expect(texts('drop table notes', { hasOthers: false }).join()).not.toContain('put the file away');
  });

  it('tells of a table that takes the name of another', () => {
    const tables = new Map([['public.notes_new', { ...unpublished, table: 'public.notes_new' }]]);
    const [advice] = advise(parseDdl('alter table notes_new rename to notes'), tables);
    expect(advice).toMatchObject({ outcome: 'lost', table: 'public.notes_new' });
    expect(advice!.steps.at(-1)!.text).toBe('lethe reconcile public.notes --repair');
  });

  it('names whoever looks the table up', () => {
    const lookedUpBy = [{ file: 'contracts/items.yaml', contract }];
    expect(texts('alter table notes rename to letters', { lookedUpBy })).toContain(
      'in contracts/items.yaml: name public.letters in its paths',
    );
  });
});

describe('what becomes of a statement', () => {
  it('is told for each action on its own', () => {
    expect(on('alter table notes drop city, add n int, owner to me').map(({ outcome }) => outcome)).toEqual([
      'refused',
      'safe',
      'unknown',
    ]);
  });

  it('is not claimed for a table with a contract that is not published, nor for an unknown statement', () => {
    const { listed: _, ...out } = facts;
    expect(
      advise(parseDdl('alter table notes drop city'), new Map([['public.notes', out]]))[0]!.outcome,
    ).toBe('unknown');
    expect(advise(parseDdl('vacuum notes'), new Map())[0]!.outcome).toBe('unknown');
  });

  it('halts a table that is to halt', () => {
    const halting = { file: 'f', contract: { ...contract, unclassified: 'halt' as const } };
    expect(on('alter table notes add n int', { own: halting })[0]!.outcome).toBe('halts');
  });

  it('is safe where no contract names the table', () => {
    const tables = new Map([['public.other', { ...unpublished, table: 'public.other' }]]);
    expect(advise(parseDdl('drop table other'), tables)).toMatchObject([{ outcome: 'safe', steps: [] }]);
  });
});
