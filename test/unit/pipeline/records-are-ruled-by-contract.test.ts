import { describe, expect, it } from 'vitest';
import { type AppliedGeneration, ContractRule, ruleOn } from '../../../pipeline/contract-rule.ts';
import { storeGeneration, wayOut } from '../../../pipeline/store-generation.ts';
import { at, change, testDataset } from '../../support/sink-datasets.ts';

const history: readonly AppliedGeneration[] = [
  { digest: 'first', generation: 1 },
  { digest: 'wider', generation: 1 },
  { digest: 'tighter', generation: 2 },
  { digest: 'latest', generation: 2 },
];
const upsert = (contract: string) => ({ contract, row: { id: 1 } });
const remove = (contract: string) => ({ contract, row: null });

describe('a record is written, left or waited for by the contract that made it', () => {
  it.each([
    ['its own', 'tighter', upsert('tighter'), 'write'],
    ['an older one of the same store', 'wider', upsert('first'), 'write'],
    ['an older one of the same rebuilt store', 'latest', upsert('tighter'), 'write'],
    ['an older store', 'tighter', upsert('wider'), 'leave'],
    ['an older store, which deletes', 'tighter', remove('first'), 'write'],
    ['a newer one of the same store', 'first', upsert('wider'), 'outdated'],
    ['a newer store', 'wider', upsert('tighter'), 'outdated'],
    ['a newer store, which deletes', 'wider', remove('tighter'), 'outdated'],
    ['any, where its own was never applied', 'not yet', upsert('latest'), 'outdated'],
    ['one that nobody applied, in the first store', 'wider', upsert('lost'), 'write'],
    ['one that nobody applied, in a later store', 'latest', upsert('lost'), 'leave'],
    ['one that nobody applied, which deletes', 'latest', remove('lost'), 'write'],
  ] as const)('%s', (_case, own, record, ruling) => {
    expect(ruleOn(history, own, record)).toBe(ruling);
  });

  it('goes by when a contract was applied last: what is taken back is new again', () => {
    const again: readonly AppliedGeneration[] = [
      { digest: 'tighter', generation: 2 },
      { digest: 'first', generation: 3 },
    ];
    expect(ruleOn(again, 'tighter', upsert('first'))).toBe('outdated');
    expect(ruleOn(again, 'first', upsert('tighter'))).toBe('leave');
    expect(ruleOn(again, 'first', upsert('first'))).toBe('write');
  });
});

describe('the rule of a sink', () => {
  const dataset = testDataset('public.t', ['id'], [{ name: 'id', type: 'int4' }]);
  const made = (contract: string, row: Record<string, unknown> | null = { id: 1 }) => ({
    ...change(dataset, ['1'], at(1), row),
    contract,
  });

  /** A history that grows, with the number of looks that were asked to be new. */
  function growing(...steps: readonly (readonly AppliedGeneration[])[]) {
    const looks = { fresh: 0 };
    const seen = () => steps[Math.min(looks.fresh, steps.length - 1)]!;
    return {
      looks,
      of: async () => seen(),
      fresh: async () => {
        looks.fresh++;
        return seen();
      },
    };
  }

  it('looks anew for a contract that it does not know, and waits if that came after its own', async () => {
    const source = growing(history.slice(0, 2), history.slice(0, 3));
    const rule = new ContractRule({ table: 'public.t', digest: 'wider' }, source);
    expect(await rule.writable([made('first'), made('wider')])).toEqual([true, true]);
    expect(source.looks.fresh).toBe(0);
    expect(rule.generation).toBe(1);
    await expect(rule.writable([made('first'), made('tighter')])).rejects.toMatchObject({
      code: 'TABLE_HALTED',
    });
    expect(source.looks.fresh).toBe(1);
  });

  it('looks once for a contract that nobody knows', async () => {
    const source = growing(history);
    const rule = new ContractRule({ table: 'public.t', digest: 'latest' }, source);
    for (let i = 0; i < 3; i++) {
      expect(await rule.writable([made('lost'), made('lost', null)])).toEqual([false, true]);
    }
    expect(source.looks.fresh).toBe(1);
    expect(rule.generation).toBe(2);
  });

  it('writes nothing while it cannot look for a contract that it does not know', async () => {
    const away = new Error('away');
    const source = { of: async () => history, fresh: () => Promise.reject(away) };
    const rule = new ContractRule({ table: 'public.t', digest: 'latest' }, source);
    await expect(rule.writable([made('lost')])).rejects.toBe(away);
    await expect(rule.writable([made('lost')])).rejects.toBe(away);
    expect(await rule.writable([made('latest')])).toEqual([true]);
  });

  it('follows its own contract to the store that it is given anew', async () => {
    const [first, again] = [[{ digest: 'own', generation: 1 }], [{ digest: 'own', generation: 3 }]];
    const source = growing(first, again);
    const rule = new ContractRule({ table: 'public.t', digest: 'own' }, source);
    expect(await rule.writable([made('own')])).toEqual([true]);
    expect(rule.generation).toBe(1);
    await source.fresh();
    expect(await rule.writable([made('own')])).toEqual([true]);
    expect(rule.generation).toBe(3);
  });
});

describe('the generation that a contract goes to', () => {
  const applied = { digest: 'before', generation: 4 };
  it.each([
    ['one that was never applied: the first', undefined, [], true, { generation: 1, mayRebuild: false }],
    [
      'one that stays: where it is',
      { ...applied, digest: 'now' },
      [],
      true,
      { generation: 4, mayRebuild: false },
    ],
    [
      'one that stays, in a store that somebody has changed: by hand',
      { ...applied, digest: 'now' },
      ['x'],
      true,
      { generation: 4, mayRebuild: false },
    ],
    ['one that fits: where the one before is', applied, [], true, { generation: 4, mayRebuild: true }],
    ['one that does not: refused unless told', applied, ['x'], false, { generation: 4, mayRebuild: true }],
    ['one that does not: the next', applied, ['x'], true, { generation: 5, beside: 4, mayRebuild: true }],
  ] as const)('%s', (_case, before, misfits, rebuild, expected) => {
    expect(storeGeneration(before, 'now', misfits, rebuild)).toEqual(expected);
  });

  it('names the command where it helps', () => {
    const change = storeGeneration(applied, 'now', ['x'], false);
    expect(wayOut(change, 'an index', 'by hand')).toMatch(/^Run `lethe apply --rebuild`: an index is built/);
    expect(wayOut({ generation: 1, mayRebuild: false }, 'an index', 'by hand')).toBe('by hand');
  });
});
